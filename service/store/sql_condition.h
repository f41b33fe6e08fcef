// SqlCondition: a boolean SQL expression with its parameters, one for each '?' in order.
//
// Values from outside are in `parameters`, never in `sql`. The expression stands safely beside AND
// and behind WHERE.
#pragma once

#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "service/sqlite/query_scope.h"
#include "service/store/page_token.h"

namespace userservice::store {

using SqlValue = PageCursor::Value;

struct SqlCondition {
  std::string sql;
  std::vector<SqlValue> parameters;

  void And(SqlCondition more) {
    sql += " AND ";
    Append(std::move(more));
  }

  void Append(SqlCondition more) {
    sql += more.sql;
    parameters.insert(parameters.end(), std::make_move_iterator(more.parameters.begin()),
                      std::make_move_iterator(more.parameters.end()));
  }
};

// Binds the values to the parameters behind `index`; gives the index of the last.
inline int BindAll(sqlite::QueryScope& row, std::span<const SqlValue> values, int index = 0) {
  for (const SqlValue& value : values) {
    std::visit([&](const auto& typed) { row.BindAt(++index, typed); }, value);
  }
  return index;
}

}  // namespace userservice::store
