#include "service/sqlite/result.h"

#include <sqlite3.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace userservice::sqlite {
namespace {

absl::StatusCode CodeOf(int result) {
  switch (result) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return absl::StatusCode::kAlreadyExists;
    default:
      break;
  }
  switch (result & 0xff) {
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_INTERRUPT:
      return absl::StatusCode::kCancelled;
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_PERM:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

// What SQLite says of this one is "database is locked", which sends the reader looking for a lock.
constexpr char kSnapshotMessage[] =
    "the transaction's snapshot is older than the last commit; begin it again, as an immediate one";

}  // namespace

absl::Status StatusFromResult(sqlite3* db, int result, std::string_view subject) {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return absl::OkStatus();
  // The connection's message belongs to its last call, which need not be the one that failed.
  const bool has_message = db != nullptr && sqlite3_extended_errcode(db) == result;
  const char* const message = result == SQLITE_BUSY_SNAPSHOT ? kSnapshotMessage
                              : has_message                  ? sqlite3_errmsg(db)
                                                             : sqlite3_errstr(result);
  absl::Status status(CodeOf(result), subject.empty()
                                          ? message
                                          : absl::StrCat(std::string(subject), ": ", message));
  status.SetPayload(kResultCodePayload, absl::Cord(absl::StrCat(result)));
  return status;
}

int ExtendedResultCode(const absl::Status& status) {
  const auto payload = status.GetPayload(kResultCodePayload);
  int result = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &result)) return 0;
  return result;
}

bool IsNotADatabase(const absl::Status& status) {
  return (ExtendedResultCode(status) & 0xff) == SQLITE_NOTADB;
}

bool IsBusy(const absl::Status& status) {
  return (ExtendedResultCode(status) & 0xff) == SQLITE_BUSY;
}

}  // namespace userservice::sqlite
