// What a connection's statements have done so far, and how SQLite runs them.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"

namespace userservice::store {

// The statements that read users, oldest first.
inline std::vector<sqlite3_stmt*> StatementsOnUsers(const sqlite::Connection& connection) {
  std::vector<sqlite3_stmt*> statements;
  for (sqlite3_stmt* statement = sqlite3_next_stmt(connection.handle(), nullptr);
       statement != nullptr; statement = sqlite3_next_stmt(connection.handle(), statement)) {
    const std::string_view sql = sqlite3_sql(statement);
    if (sql.starts_with("SELECT") && sql.find(" users ") != std::string_view::npos &&
        sql.find("service_state") == std::string_view::npos)
      statements.push_back(statement);
  }
  std::reverse(statements.begin(), statements.end());
  return statements;
}

// The sum of one of SQLite's counters (SQLITE_STMTSTATUS_...) over them.
inline int64_t CountOnUsers(const sqlite::Connection& connection, int counter) {
  int64_t sum = 0;
  for (sqlite3_stmt* const statement : StatementsOnUsers(connection))
    sum += sqlite3_stmt_status(statement, counter, 0);
  return sum;
}

// EXPLAIN QUERY PLAN of each, its lines joined by "; ".
inline std::vector<std::string> PlansOnUsers(sqlite::Connection& connection) {
  constexpr int kDetail = 3;
  std::vector<std::string> plans;
  std::vector<std::string> texts;
  for (sqlite3_stmt* const statement : StatementsOnUsers(connection))
    texts.emplace_back(sqlite3_sql(statement));
  for (const std::string& text : texts) {
    sqlite::QueryScope row(connection, "EXPLAIN QUERY PLAN " + text);
    std::string& plan = plans.emplace_back();
    while (true) {
      const absl::StatusOr<bool> found = row.Step();
      EXPECT_TRUE(found.ok()) << found.status();
      if (!found.ok() || !*found) break;
      plan += (plan.empty() ? "" : "; ") + std::string(row.Text(kDetail));
    }
  }
  return plans;
}

}  // namespace userservice::store
