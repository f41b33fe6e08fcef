// LogFile: a write-ahead log that is written in long runs. Private to erasing_vfs.cc, whose files
// these are.
//
// SQLite writes a frame by two system calls, 24 bytes and a page, and a batch of writes makes
//   hundreds of frames. So frames that follow each other are held back here, and written together.
// Never held back: the frame that ends a transaction, which comes after what was held, since the
//   others of the connection, of this and of other processes, may read a transaction from then on.
//   Any other use of the file (a read, a sync, a frame elsewhere) first writes what is held.
// A transaction that is given up may leave frames here. They are dropped when the lock for writing
//   is given back: from then on another may write in their place.
// Errors: those of a write come out of the call that made it necessary, and what is held stays: a
//   transaction that survives one (a disk that was full while a statement read) commits it later.
#pragma once

#include <memory>

#include "service/sqlite/vfs_layer.h"

namespace userservice::sqlite {

struct LogFile {
  // Drops what is held.
  void Drop();

  LayeredFile layer;                // first
  LogFile** of_database = nullptr;  // where the database's file keeps a pointer to this
  std::unique_ptr<unsigned char[]> held;
  int held_bytes = 0;
  sqlite3_int64 held_at = 0;
  bool ends_transaction = true;  // the frame that is being written
};

extern const MethodsByVersion kLogMethods;

}  // namespace userservice::sqlite
