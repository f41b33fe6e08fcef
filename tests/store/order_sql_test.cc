#include "service/store/order_sql.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "service/errors/errors.h"
#include "tests/store/random_orders.h"
#include "tests/store/random_rows.h"
#include "tests/store/users_table.h"

namespace userservice::store {
namespace {

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
    SortNaively(rows, order);
    std::vector<int64_t> expected;
    for (const Row& row : rows) expected.push_back(row.user_id);
    EXPECT_EQ(table.Select(SqlCondition{"TRUE", {}}, OrderSql(order.keys())), expected);
    for (const Row& row : rows) {
      expected.erase(expected.begin());
      const auto values = CursorValues(order, CursorOf(order, row));
      ASSERT_TRUE(values.ok()) << values.status();
      EXPECT_EQ(table.Select(AfterSql(order.keys(), *values), OrderSql(order.keys())), expected)
          << "after user " << row.user_id;
    }
  }
}

TEST(OrderSql, GoesOnAfterARowThatIsGone) {
  UsersTable table;
  RandomRows random(1);
  for (const Row& row : random.Rows(5)) table.Insert(row);
  table.Run("DELETE FROM users WHERE user_id = 3");
  const std::vector<SqlValue> third = {int64_t{3}};
  EXPECT_EQ(table.Select(AfterSql(OrderBy().keys(), third)), (std::vector<int64_t>{4, 5}));
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
    EXPECT_EQ(errors::ReasonOf(CursorValues(by_age, cursor).status()), "PAGE_TOKEN_INVALID");
  }
  EXPECT_TRUE(CursorValues(by_age, PageCursor({std::monostate(), int64_t{1}})).ok());
}

}  // namespace
}  // namespace userservice::store
