// Reads that look at many rows: one page of a list, and a count.
//
// A page ends once its users come to 1 MiB. It examines at most `rows_examined_max` rows: where few
// of them match it is short or empty, and its cursor says how far it came. Beside that it counts
// and sorts at most so many in some steps, see order_walk.h; no order and no filter makes it look
// at the whole table. What the filter says of an indexed field in its outermost AND keeps rows from
// being examined at all: by the field that the order walks, or where the field's range holds few
// rows. A count looks at all users in that range.
// Errors: of the catalogue. Threads: the connection's. The limits stop a scan within 50 ms.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"
#include "service/store/filter.h"
#include "service/store/user_store.h"

namespace userservice::store {

// From one snapshot.
absl::StatusOr<UserPage> ReadPage(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                                  const PageQuery& query, size_t rows_examined_max);

absl::StatusOr<UserCount> ReadCount(sqlite::Connection& connection,
                                    const sqlite::QueryLimits& limits, const Filter& filter);

// The newest revision in the connection's snapshot.
absl::StatusOr<int64_t> ReadRevision(sqlite::Connection& connection,
                                     const sqlite::QueryLimits& limits = sqlite::QueryLimits());

}  // namespace userservice::store
