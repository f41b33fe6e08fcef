// Looking at a database file without leaving a trace: not a byte of it changes, and no -wal, -shm
// or -journal appears or goes.
//
//   absl::StatusOr<std::unique_ptr<Connection>> connection = OpenForInspection("users.db");
//
// Which way there is depends on what lies beside the file:
//   nothing, no write-ahead log    an ordinary read-only connection
//   nothing, write-ahead log       an immutable one: whoever uses such a file has a -wal there
//   -wal, no -shm                  (a copy after a crash) an exclusive one, the index in memory
//   -wal and -shm                  an ordinary one that keeps both when it closes
// A hot -journal is the exception: the transaction of a program that crashed has to be rolled back
// before anything can be read, and SQLite does that here.
// Not while this process has the file open: closing a file ends all locks that its process holds
// on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"

namespace userservice::sqlite {

// Errors: as Connection::Open. The file exists and is not empty.
absl::StatusOr<std::unique_ptr<Connection>> OpenForInspection(const std::string& path,
                                                              int busy_timeout_ms = 5000);

}  // namespace userservice::sqlite
