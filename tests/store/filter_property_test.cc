// Random filters over random rows: what SQLite selects against what an evaluator says that shares
// nothing with the parser or the SQL.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "service/store/filter.h"
#include "service/store/filter_sql.h"
#include "tests/store/random_filters.h"
#include "tests/store/random_rows.h"
#include "tests/store/users_table.h"

namespace userservice::store {
namespace {

TEST(FilterProperty, SelectsInSqlWhatTheFilterMeans) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  RandomRows random(seed);
  RandomFilters filters(random);
  size_t selected = 0;
  size_t rows_seen = 0;
  for (int round = 0; round < 40; ++round) {
    UsersTable table;
    const std::vector<Row> rows = random.Rows(25);
    for (const Row& row : rows) table.Insert(row);
    for (int i = 0; i < 100; ++i) {
      const Expression expression = filters.Any(static_cast<int>(random.Below(5)));
      const absl::StatusOr<Filter> filter = Filter::Parse(expression.text);
      ASSERT_TRUE(filter.ok()) << filter.status() << "\n" << expression.text;
      std::vector<int64_t> expected;
      for (const Row& row : rows) {
        if (expression.matches(row)) expected.push_back(row.user_id);
      }
      EXPECT_EQ(table.Select(FilterSql(*filter)), expected) << expression.text << "\n"
                                                            << FilterSql(*filter).sql;
      selected += expected.size();
      rows_seen += rows.size();
    }
  }
  // The filters tell rows apart.
  EXPECT_GT(selected, rows_seen / 5);
  EXPECT_LT(selected, rows_seen * 4 / 5);
}

}  // namespace
}  // namespace userservice::store
