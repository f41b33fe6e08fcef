// An order as SQLite's SQL over the table users, and the condition "after this row" in that order:
// keyset paging, whose cost does not depend on how many pages came before.
//
//   absl::StatusOr<SqlCondition> after = AfterCursorSql(order, cursor);
//   "SELECT ... FROM users WHERE " + after->sql + " ORDER BY " + OrderSql(order) + " LIMIT ?";
//
// Nulls are first ascending and last descending, as SQLite has them anyway. E-mails are ordered in
// lower case and times by instant, however older programs wrote them. Threads: free functions
// without state.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "service/store/order_by.h"
#include "service/store/page_token.h"
#include "service/store/sql_condition.h"

namespace userservice::store {

// What follows ORDER BY: "age DESC, user_id DESC".
std::string OrderSql(const OrderBy& order);

// True for the rows that come after the row with these key values, as the table holds them. The row
// itself need not exist any more. Errors: PAGE_TOKEN_INVALID if the cursor is not one of this
// order.
absl::StatusOr<SqlCondition> AfterCursorSql(const OrderBy& order, const PageCursor& cursor);

}  // namespace userservice::store
