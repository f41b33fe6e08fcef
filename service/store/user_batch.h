// Reads the users of a batch, in the order of their numbers.
//
//   absl::StatusOr<EncodedUsers> users = ReadBatch(*lease, limits, user_ids);
//
// Errors: of the catalogue. USER_NOT_FOUND names the first that there is not. Threads: the
// connection's.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"
#include "service/store/user_store.h"

namespace userservice::store {

// From one snapshot. A number that comes twice is answered twice.
absl::StatusOr<EncodedUsers> ReadBatch(sqlite::Connection& connection,
                                       const sqlite::QueryLimits& limits,
                                       std::span<const int64_t> user_ids);

}  // namespace userservice::store
