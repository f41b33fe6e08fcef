// A table users in memory, of the shape that the service upgrades to, with rows as any program may
// have written them; and what a row is to a test that evaluates filters and orders by itself.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "service/store/field_sql.h"
#include "service/store/sql_condition.h"

namespace userservice::store {

// A time as a row holds it: the text, and the instant that the text names.
struct TimeValue {
  std::optional<std::string> text;
  std::optional<absl::Time> time;
};

struct Row {
  int64_t user_id = 0;
  std::string name;
  std::string email;
  std::optional<int64_t> age;
  TimeValue created;
  TimeValue updated;
};

class UsersTable {
 public:
  UsersTable() {
    EXPECT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    Run("CREATE TABLE users (user_id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(100) NOT NULL,"
        " email VARCHAR(150) UNIQUE NOT NULL, age INTEGER CHECK(age >= 0 AND age <= 150),"
        " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP)");
    for (const UserField field : kIndexedFields) Run(CreateIndexSql(field));
  }
  UsersTable(const UsersTable&) = delete;
  UsersTable& operator=(const UsersTable&) = delete;
  ~UsersTable() { EXPECT_EQ(sqlite3_close(db_), SQLITE_OK); }

  void Insert(const Row& row) {
    std::vector<SqlValue> values = {SqlValue(row.user_id), SqlValue(row.name), SqlValue(row.email)};
    const auto add = [&](const auto& optional) {
      values.emplace_back();
      if (optional.has_value()) values.back() = *optional;
    };
    add(row.age);
    add(row.created.text);
    add(row.updated.text);
    Query(
        "INSERT INTO users (user_id, name, email, age, created_at, updated_at) VALUES (?, ?, ?, ?, "
        "?, ?)",
        values);
  }

  void Run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_) << sql;
  }

  // The rows as text, NULL as nothing.
  std::vector<std::vector<std::optional<std::string>>> Query(
      const std::string& sql, const std::vector<SqlValue>& parameters) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_) << " in " << sql;
    EXPECT_EQ(sqlite3_bind_parameter_count(statement), static_cast<int>(parameters.size())) << sql;
    for (size_t i = 0; i < parameters.size(); ++i)
      Bind(statement, static_cast<int>(i) + 1, parameters[i]);
    std::vector<std::vector<std::optional<std::string>>> rows;
    int result = SQLITE_OK;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
      auto& row = rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        if (sqlite3_column_type(statement, i) == SQLITE_NULL) {
          row.emplace_back();
        } else {
          row.emplace_back(
              std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, i)),
                          static_cast<size_t>(sqlite3_column_bytes(statement, i))));
        }
      }
    }
    EXPECT_EQ(result, SQLITE_DONE) << sqlite3_errmsg(db_) << " in " << sql;
    sqlite3_finalize(statement);
    return rows;
  }

  // The user_ids, in the order asked for.
  std::vector<int64_t> Select(const SqlCondition& where, const std::string& order = "user_id",
                              int limit = -1) {
    std::vector<SqlValue> parameters = where.parameters;
    parameters.emplace_back(int64_t{limit});
    std::vector<int64_t> ids;
    for (const auto& row :
         Query("SELECT user_id FROM users WHERE " + where.sql + " ORDER BY " + order + " LIMIT ?",
               parameters)) {
      ids.push_back(std::stoll(*row.at(0)));
    }
    return ids;
  }

  // EXPLAIN QUERY PLAN, its lines joined by ';'.
  std::string Plan(const SqlCondition& where, const std::string& order = "user_id") {
    std::string plan;
    for (const auto& row : Query("EXPLAIN QUERY PLAN SELECT user_id, name FROM users WHERE " +
                                     where.sql + " ORDER BY " + order,
                                 where.parameters)) {
      plan += *row.at(3) + ";";
    }
    return plan;
  }

 private:
  static void Bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      sqlite3_bind_int64(statement, index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text(statement, index, text->data(), static_cast<int>(text->size()),
                        SQLITE_TRANSIENT);
    }
  }

  sqlite3* db_ = nullptr;
};

}  // namespace userservice::store
