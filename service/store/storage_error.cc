#include "service/store/storage_error.h"

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/sqlite/result.h"

namespace userservice::store {

absl::Status StorageError(const absl::Status& status) {
  if (status.ok() || !errors::ReasonOf(status).empty()) return status;
  const std::string cause =
      absl::StrCat(status.message(), " (SQLite ", sqlite::ExtendedResultCode(status), ")");
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return errors::DeadlineExpired();
    case absl::StatusCode::kCancelled:
      return errors::CallCancelled();
    case absl::StatusCode::kResourceExhausted:
      return errors::WithCause(errors::StorageFull(), cause);
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kPermissionDenied:  // the disk became read-only, the file was moved
      return errors::WithCause(errors::StorageUnavailable(), cause);
    default:
      return errors::Internal(cause);
  }
}

}  // namespace userservice::store
