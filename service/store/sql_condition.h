// SqlCondition: a boolean SQL expression with its parameters, one for each '?' in order.
//
// Values from outside are in `parameters`, never in `sql`. The expression stands safely beside AND
// and behind WHERE.
#pragma once

#include <string>
#include <vector>

#include "service/store/page_token.h"

namespace userservice::store {

using SqlValue = PageCursor::Value;

struct SqlCondition {
  std::string sql;
  std::vector<SqlValue> parameters;
};

}  // namespace userservice::store
