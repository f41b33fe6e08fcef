// Opening the users database for service: looked at first, then created or upgraded, or refused and
// left as it was.
//
//   absl::StatusOr<DatabaseInfo> info = PrepareDatabase("data/users.db", DatabaseOptions());
//   if (!info.ok()) std::cerr << info.status().message() << "\n";   // one line
//
// Afterwards the file exists, is whole (PRAGMA quick_check), has today's schema and a write-ahead
// log; connections may be opened on it. Nothing stays open.
// Looking reads all of the file: 3 GB took 15 s from a disk that gives 430 MB/s, and 6.5 s from the
//   system's cache.
// Creating: one transaction, mode 0640 whatever the umask (SQLite gives -wal and -shm the same). A
//   crash in the midst leaves an empty file, which counts as new. An existing file keeps its mode.
// Rebuilding, if asked for: VACUUM. The file is written anew without what is unused in it, so it
//   gives back space, and holds nothing any more of what was deleted before there was an
//   sqlite/erasing_vfs.h, or by others. Takes free disk of the file's size at most twice: beside
//   it, and where SQLite has its temporary files (SQLITE_TMPDIR, TMPDIR or /var/tmp). It is done
//   wholly or, after a crash or on a full disk, not at all. Nobody else may have the file open.
// Refusing: neither the file nor its directory changes, not by a byte (see sqlite/inspection.h).
// Errors: one line with the file, what is wrong, and the remedy. kFailedPrecondition (for the
//   operator to put right), kDataLoss (no database, or a damaged one), kPermissionDenied, kNotFound
//   (directory), kUnavailable (locked, or an I/O error), kResourceExhausted (disk full).
// Threads: any; but this process must have no connection open on the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace userservice::store {

struct DatabaseOptions {
  DatabaseOptions() = default;

  bool sample_users = false;   // a new database gets the five sample users
  int64_t generate_users = 0;  // a new database gets as many generated ones
  bool rebuild = false;        // an existing one
  int busy_timeout_ms = 5000;  // how long another program may keep the file locked
};

struct DatabaseRebuild {
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  absl::Duration time;
};

struct DatabaseInfo {
  bool created = false;
  int found_version = 0;  // before upgrading; 0: new
  int version = 0;        // now
  std::optional<DatabaseRebuild> rebuilt;
};

absl::StatusOr<DatabaseInfo> PrepareDatabase(const std::string& path,
                                             const DatabaseOptions& options);

}  // namespace userservice::store
