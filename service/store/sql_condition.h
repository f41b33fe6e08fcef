// SqlCondition: a boolean SQL expression with its parameters, one for each '?' in order.
//
// Values from outside are in `parameters`, never in `sql`. The expression stands safely beside AND
// and behind WHERE.
#pragma once

#include <iterator>
#include <string>
#include <utility>
#include <vector>

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

}  // namespace userservice::store
