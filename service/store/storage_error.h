// StorageError: the one place where what SQLite answers becomes an error of the catalogue.
//
//   if (absl::Status status = rows.Run(); !status.ok()) return StorageError(status);
//
// A status that is OK, or comes from the catalogue already, passes unchanged. SQLite's own words
// are noted as the cause, for the log. A violated constraint that the caller did not expect is
// INTERNAL: whoever expects it (EMAIL_TAKEN) looks at the code first.
#pragma once

#include "absl/status/status.h"

namespace userservice::store {

absl::Status StorageError(const absl::Status& status);

}  // namespace userservice::store
