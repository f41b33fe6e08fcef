// An order as SQLite's SQL over the table users, and the condition "after this row" in that order:
// keyset paging, whose cost does not depend on how many pages came before.
//
//   absl::StatusOr<std::vector<SqlValue>> values = CursorValues(order, cursor);
//   "SELECT ... FROM users WHERE " + AfterSql(order.keys(), *values).sql +
//       " ORDER BY " + OrderSql(order.keys());
//
// Nulls are first ascending and last descending, as SQLite has them anyway. Keys compare by the
// values that are served (field_sql.h). Threads: free functions without state.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/store/order_by.h"
#include "service/store/page_token.h"
#include "service/store/sql_condition.h"

namespace userservice::store {

// What follows ORDER BY.
std::string OrderSql(std::span<const OrderBy::Key> keys);

// A cursor's values as ValueSql gives them. Errors: PAGE_TOKEN_INVALID if the cursor is not one of
// this order.
absl::StatusOr<std::vector<SqlValue>> CursorValues(const OrderBy& order, const PageCursor& cursor);

// True for the rows that come after one with these values, as many as there are keys. There need
// not be such a row. No index looks this up where there are two keys or more: order_walk.h does.
SqlCondition AfterSql(std::span<const OrderBy::Key> keys, std::span<const SqlValue> values);

}  // namespace userservice::store
