#include "service/sqlite/page_gap.h"

namespace userservice::sqlite {
namespace {

using PageBytes = std::span<const unsigned char>;

enum PageType : unsigned char {
  kInteriorIndex = 2,
  kInteriorTable = 5,
  kLeafIndex = 10,
  kLeafTable = 13,
};

// Where the fields of a page's header are, counted from its begin.
constexpr size_t kFreeblock = 1;
constexpr size_t kCells = 3;
constexpr size_t kContent = 5;
constexpr size_t kFragments = 7;
constexpr size_t kRightChild = 8;
constexpr size_t kLeafHeaderBytes = 8;
constexpr size_t kInteriorHeaderBytes = 12;

constexpr size_t kCellBytesMin = 4;  // of a freeblock too
constexpr size_t kFragmentBytesMax = 60;

size_t Number(PageBytes page, size_t at) { return size_t{page[at]} << 8U | page[at + 1]; }

bool IsRoomForACell(PageBytes page, size_t content, size_t at) {
  return at >= content && at + kCellBytesMin <= page.size();
}

bool AreCellsIn(PageBytes page, size_t pointers, size_t pointers_end, size_t content) {
  for (size_t at = pointers; at < pointers_end; at += 2) {
    if (!IsRoomForACell(page, content, Number(page, at))) return false;
  }
  return true;
}

// They follow each other in the order of their places.
bool AreFreeblocksIn(PageBytes page, size_t first, size_t content) {
  for (size_t at = first; at != 0;) {
    if (!IsRoomForACell(page, content, at)) return false;
    const size_t next = Number(page, at);
    const size_t end = at + Number(page, at + 2);
    if (end < at + kCellBytesMin || end > page.size() || (next != 0 && next < end)) return false;
    at = next;
  }
  return true;
}

}  // namespace

std::optional<PageGap> FindPageGap(PageBytes page, size_t header_at) {
  if (page.size() < header_at + kInteriorHeaderBytes) return std::nullopt;
  const unsigned char type = page[header_at];
  const bool is_interior = type == kInteriorIndex || type == kInteriorTable;
  if (!is_interior && type != kLeafIndex && type != kLeafTable) return std::nullopt;
  if (page[header_at + kFragments] > kFragmentBytesMax) return std::nullopt;
  // The number of a page, as above.
  if (is_interior && page[header_at + kRightChild] != 0) return std::nullopt;

  const size_t pointers = header_at + (is_interior ? kInteriorHeaderBytes : kLeafHeaderBytes);
  const size_t pointers_end = pointers + 2 * Number(page, header_at + kCells);
  size_t content = Number(page, header_at + kContent);
  if (content == 0) content = 65536;
  if (pointers_end > content || content > page.size()) return std::nullopt;
  if (!AreCellsIn(page, pointers, pointers_end, content)) return std::nullopt;
  if (!AreFreeblocksIn(page, Number(page, header_at + kFreeblock), content)) return std::nullopt;
  return PageGap{pointers_end, content};
}

}  // namespace userservice::sqlite
