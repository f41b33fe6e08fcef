#include "service/store/order_sql.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "service/errors/errors.h"
#include "tests/store/random_rows.h"
#include "tests/store/users_table.h"

namespace userservice::store {
namespace {

// -1, 0 or 1; absent values come first.
template <class T>
int Compare(const std::optional<T>& a, const std::optional<T>& b) {
  if (a.has_value() != b.has_value()) return a.has_value() ? 1 : -1;
  if (!a.has_value() || *a == *b) return 0;
  return *a < *b ? -1 : 1;
}

int CompareBy(UserField field, const Row& a, const Row& b) {
  const auto text = [](const std::string& value) { return std::optional<std::string>(value); };
  switch (field) {
    case UserField::kUserId:
      return Compare<int64_t>(a.user_id, b.user_id);
    case UserField::kName:
      return Compare(text(a.name), text(b.name));
    case UserField::kEmail:
      return Compare(text(AsciiLower(a.email)), text(AsciiLower(b.email)));
    case UserField::kAge:
      return Compare(a.age, b.age);
    case UserField::kCreateTime:
      return Compare(a.created.time, b.created.time);
    case UserField::kUpdateTime:
      return Compare(a.updated.time, b.updated.time);
  }
  return 0;
}

// The cursor of a row: its values as the table holds them.
PageCursor CursorOf(const OrderBy& order, const Row& row) {
  PageCursor cursor;
  for (const OrderBy::Key& key : order.keys()) {
    PageCursor::Value& value = cursor.keys.emplace_back();
    switch (key.field) {
      case UserField::kUserId:
        value = row.user_id;
        break;
      case UserField::kName:
        value = row.name;
        break;
      case UserField::kEmail:
        value = row.email;
        break;
      case UserField::kAge:
        if (row.age.has_value()) value = *row.age;
        break;
      case UserField::kCreateTime:
        if (row.created.text.has_value()) value = *row.created.text;
        break;
      case UserField::kUpdateTime:
        if (row.updated.text.has_value()) value = *row.updated.text;
        break;
    }
  }
  return cursor;
}

std::string RandomOrder(RandomRows& random) {
  std::string text;
  std::vector<std::string> fields = {"user_id", "name",        "email",
                                     "age",     "create_time", "update_time"};
  for (size_t n = random.Below(4); n > 0; --n) {
    const size_t i = random.Below(fields.size());
    text += (text.empty() ? "" : ",") + fields[i] + (random.OneIn(2) ? " desc" : "");
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return text;
}

TEST(OrderSql, OrdersAndPagesAsANaiveSortDoes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  RandomRows random(seed);
  for (int round = 0; round < 60; ++round) {
    UsersTable table;
    std::vector<Row> rows = random.Rows(25);
    for (const Row& row : rows) table.Insert(row);
    const OrderBy order = *OrderBy::Parse(RandomOrder(random));
    SCOPED_TRACE(order.text());
    std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      for (const OrderBy::Key& key : order.keys()) {
        const int compared = CompareBy(key.field, a, b);
        if (compared != 0) return key.descending ? compared > 0 : compared < 0;
      }
      return false;
    });
    std::vector<int64_t> expected;
    for (const Row& row : rows) expected.push_back(row.user_id);
    EXPECT_EQ(table.Select(SqlCondition{"TRUE", {}}, OrderSql(order)), expected);
    for (const Row& row : rows) {
      expected.erase(expected.begin());
      const absl::StatusOr<SqlCondition> after = AfterCursorSql(order, CursorOf(order, row));
      ASSERT_TRUE(after.ok()) << after.status();
      EXPECT_EQ(table.Select(*after, OrderSql(order)), expected) << "after user " << row.user_id;
    }
  }
}

TEST(OrderSql, IsPlainWhereItCanBe) {
  const OrderBy by_id;
  EXPECT_EQ(OrderSql(by_id), "user_id");
  EXPECT_EQ(AfterCursorSql(by_id, PageCursor({int64_t{7}}))->sql, "user_id > ?");
  const OrderBy by_age = *OrderBy::Parse("age");
  EXPECT_EQ(OrderSql(by_age), "age, user_id");
  EXPECT_EQ(AfterCursorSql(by_age, PageCursor({int64_t{30}, int64_t{7}}))->sql,
            "age >= ? AND (age > ? OR age = ? AND user_id > ?)");
}

TEST(OrderSql, SeeksInAnIndexAndSortsNothing) {
  UsersTable table;
  const auto plan = [&](std::string_view order_text, const PageCursor& cursor) {
    const OrderBy order = *OrderBy::Parse(order_text);
    return table.Plan(*AfterCursorSql(order, cursor), OrderSql(order));
  };
  EXPECT_EQ(plan("", PageCursor({int64_t{7}})),
            "SEARCH users USING INTEGER PRIMARY KEY (rowid>?);");
  EXPECT_EQ(plan("user_id desc", PageCursor({int64_t{7}})),
            "SEARCH users USING INTEGER PRIMARY KEY (rowid<?);");
  EXPECT_EQ(plan("email", PageCursor({"ann@example.com", int64_t{7}})),
            "SEARCH users USING INDEX users_by_email_nocase (email>?);");
  EXPECT_EQ(plan("email desc", PageCursor({"ann@example.com", int64_t{7}})),
            "SEARCH users USING INDEX users_by_email_nocase (email<?);");
  table.Run("CREATE INDEX users_by_age ON users(age)");
  EXPECT_EQ(plan("age", PageCursor({int64_t{30}, int64_t{7}})),
            "SEARCH users USING INDEX users_by_age (age>?);");
}

TEST(OrderSql, GoesOnAfterARowThatIsGone) {
  UsersTable table;
  RandomRows random(1);
  for (const Row& row : random.Rows(5)) table.Insert(row);
  table.Run("DELETE FROM users WHERE user_id = 3");
  EXPECT_EQ(table.Select(*AfterCursorSql(OrderBy(), PageCursor({int64_t{3}}))),
            (std::vector<int64_t>{4, 5}));
}

TEST(OrderSql, RefusesACursorOfAnotherOrder) {
  const OrderBy by_age = *OrderBy::Parse("age");
  const std::vector<PageCursor> cursors = {PageCursor(),
                                           PageCursor({int64_t{1}}),
                                           PageCursor({"text", int64_t{1}}),
                                           PageCursor({int64_t{1}, "text"}),
                                           PageCursor({int64_t{1}, std::monostate()}),
                                           PageCursor({int64_t{1}, int64_t{1}, int64_t{1}})};
  for (const PageCursor& cursor : cursors) {
    EXPECT_EQ(errors::ReasonOf(AfterCursorSql(by_age, cursor).status()), "PAGE_TOKEN_INVALID");
  }
  EXPECT_TRUE(AfterCursorSql(by_age, PageCursor({std::monostate(), int64_t{1}})).ok());
}

}  // namespace
}  // namespace userservice::store
