// SqlCondition: a boolean SQL expression with its parameters, one for each '?' in order.
//
// Values from outside are in `parameters`, never in `sql`. The expression stands safely beside AND
// and behind WHERE.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "service/sqlite/query_scope.h"
#include "service/store/page_token.h"

namespace userservice::store {

using SqlValue = PageCursor::Value;

struct SqlCondition {
  std::string sql;
  std::vector<SqlValue> parameters;
};

// Binds `values` behind the `index` parameters that are bound already, and gives how many are then.
inline int BindAll(sqlite::QueryScope& row, const std::vector<SqlValue>& values, int index) {
  for (const SqlValue& value : values) {
    std::visit([&](const auto& typed) { row.BindAt(++index, typed); }, value);
  }
  return index;
}

}  // namespace userservice::store
