// A filter as SQLite's SQL over the table users.
//
//   SqlCondition where = FilterSql(filter);
//   "SELECT count(*) FROM users WHERE " + where.sql;  // then bind where.parameters
//
// It means what filter.h says, over rows of older programs too: values compare as they are served
// (field_sql.h). Threads: free function without state. Errors: none; a parsed filter always
// has SQL.
#pragma once

#include "service/store/filter.h"
#include "service/store/sql_condition.h"

namespace userservice::store {

SqlCondition FilterSql(const Filter& filter);  // "TRUE" for one that matches all

}  // namespace userservice::store
