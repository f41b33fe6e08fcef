// SQLite's result codes as absl::Status: the one place where they are translated.
//
//   CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID   kAlreadyExists
//   any other CONSTRAINT                     kFailedPrecondition
//   FULL                                     kResourceExhausted
//   BUSY, LOCKED, IOERR, CANTOPEN, NOMEM     kUnavailable
//   CORRUPT, NOTADB                          kDataLoss
//   READONLY, AUTH, PERM                     kPermissionDenied
//   INTERRUPT                                kDeadlineExceeded or kCancelled: QueryScope knows
//                                            which limit it was
//   all else                                 kInternal
//
// The message is SQLite's own: for the log, never for a caller of the service. The payload
// "sqlite/result_code" holds the extended code in decimal (https://www.sqlite.org/rescode.html).
#pragma once

#include <string_view>

#include "absl/status/status.h"

struct sqlite3;

namespace userservice::sqlite {

inline constexpr char kResultCodePayload[] = "sqlite/result_code";

// The status of the extended code `result` that a call on `db` just returned; OK for OK, ROW and
// DONE. `subject` (a file, a statement), if not empty, stands before the message. `db` may be null:
// then the message is the code's own.
absl::Status StatusFromResult(sqlite3* db, int result, std::string_view subject = {});

// The extended result code that a status carries, or 0 if it did not come from SQLite.
int ExtendedResultCode(const absl::Status& status);

bool IsNotADatabase(const absl::Status& status);
// Another connection or program holds a lock.
bool IsBusy(const absl::Status& status);

}  // namespace userservice::sqlite
