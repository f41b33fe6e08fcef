// The unallocated gap of a b-tree page: between the end of its cell pointers and the start of its
// cells. SQLite never reads it, and leaves in it what it moved elsewhere when it balanced the tree.
//
//   if (const std::optional<PageGap> gap = FindPageGap(page, /*header_at=*/0)) ...
//
// Nothing but a b-tree page has a gap, and a database has pages of other kinds, whose every byte
// may count. They are told apart thus:
//   overflow pages and freelist trunks begin with the number of a page, most significant byte first
//     (0 at the end of a chain), so with a byte 0 in every database of fewer than 2^24 pages; a
//     b-tree page begins with 2, 5, 10 or 13. The caller keeps to such databases.
//   pointer maps begin with a byte from 1 to 5. Only databases with auto_vacuum have them. The
//     caller keeps away from those.
//   the lock-byte page and free pages are never read.
// And the whole structure must be that of a b-tree page: nothing that it refers to begins before
// its cells do, nor ends behind the page.
// Source: https://www.sqlite.org/fileformat2.html, 1.6.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace userservice::sqlite {

// Of the databases in which FindPageGap may be asked.
inline constexpr size_t kPageGapPagesMax = (size_t{1} << 24) - 1;

// Bytes [begin, end) of the page; may be none.
struct PageGap {
  size_t begin = 0;
  size_t end = 0;
};

// Nothing if this is no b-tree page. The header of one begins at `header_at`: 100 in the first page
// of a database, behind the database's own, and 0 in all others. Threads: any.
std::optional<PageGap> FindPageGap(std::span<const unsigned char> page, size_t header_at);

}  // namespace userservice::sqlite
