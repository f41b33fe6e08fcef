// A VFS for SQLite that lets nothing of what was deleted reach the database file.
//
//   sqlite3_open_v2(path, &db, flags, ErasingVfs());
//
// secure_delete overwrites a cell that is deleted, yet when SQLite balances a tree it copies cells
//   from page to page and leaves the old copies in the unallocated gap of their page (page_gap.h),
//   where they outlive the row. So this VFS writes each b-tree page to the file with zeros in its
//   gap. It stands over the system's default VFS, which does everything else.
// That suffices: a page that SQLite changed goes to the log, and from there through here, if the
//   checkpoint is one of a connection with this VFS. The copies in the log go when a checkpoint
//   cuts it to nothing (TRUNCATE). So do those in the caches of the other connections, which then
//   read the file again; a connection that writes must not be the one that cuts.
// What it can not erase: what lay in gaps before, until the page is written again or the file is
//   rebuilt (VACUUM); what other programs copy back from the log without this VFS.
// Left as they are: databases with auto_vacuum and those of 2^24 pages (64 GiB at 4 KiB a page) or
//   more, in which other pages may look like a b-tree's; files that are open for reading only. The
//   write-ahead log has checksums over its pages, so it is written as SQLite made it, yet in longer
//   runs, of which none holds back what ends a transaction.
// Durability: in the file one write for one, in the same order; no page is written that SQLite did
//   not write.
// Cost: 2,500 instructions a page, and for one that needs it a read of four bytes. Also with mmap,
//   by which SQLite only reads. Threads: any.
#pragma once

namespace userservice::sqlite {

// Its name; registers it the first time. SQLite is initialized.
const char* ErasingVfs();

}  // namespace userservice::sqlite
