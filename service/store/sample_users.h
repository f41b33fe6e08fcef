// Users to begin with: five to try the service on, or as many as a demonstration wants.
//
// Both write into an empty users table of today's schema, inside a transaction of the caller's. The
// rows take revisions from 1 in id order. The same count gives the same users every time: names are
// distinct, the e-mail of user N is user<N>@example.com, ages go from 0 to 100, and every
// seventeenth user has none.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "service/sqlite/connection.h"

namespace userservice::store {

// Ages 25, 30, 40, 45 and 50.
absl::Status InsertSampleUsers(sqlite::Connection& connection);

absl::Status GenerateUsers(sqlite::Connection& connection, int64_t count);

}  // namespace userservice::store
