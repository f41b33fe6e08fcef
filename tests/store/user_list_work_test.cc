// The work of a page, counted in instructions of SQLite's machine: bounded by what a page may
// examine, whatever the order, the filter and the rows.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "service/store/field_sql.h"
#include "service/store/user_scan.h"
#include "tests/store/statement_status.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

constexpr int64_t kUsers = 100'000;
constexpr size_t kRowsMax = 100;
// To read a row, sort it and evaluate what a filter says about it; a scan of all users would take
// some hundred times as many.
constexpr int64_t kInstructionsMax = 300 * static_cast<int64_t>(kRowsMax);

class UserListWorkTest : public UserStoreTest {
 protected:
  // 100,000 users by these expressions of `i`. The indexes are made afterwards, which is quicker.
  void Fill(std::string_view name, std::string_view age, std::string_view created_at) {
    for (const UserField field : kIndexedFields)
      database_.Execute("DROP INDEX " + IndexName(field));
    database_.Execute(
        absl::StrCat("INSERT INTO users (name, email, age, created_at, updated_at, revision) "
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
                     kUsers, ") SELECT ", std::string(name), ", i || '@x.org', ", std::string(age),
                     ", ", std::string(created_at), ", '2024-05-01 12:00:00', i FROM n"));
    ASSERT_TRUE(PrepareDatabase(database_.path(), DatabaseOptions()).ok());
  }

  // What one page takes; `query` then asks for the next.
  int64_t Instructions(PageQuery& query, size_t rows_max = kRowsMax) {
    const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
    const absl::StatusOr<UserPage> page =
        ReadPage(*connection, sqlite::QueryLimits(), query, rows_max);
    EXPECT_TRUE(page.ok()) << page.status();
    found_ += page->users.count;
    query.after = page->next;
    return CountOnUsers(*connection, SQLITE_STMTSTATUS_VM_STEP);
  }

  size_t found_ = 0;
};

constexpr char kManyNames[] = "printf('Name %d', i * 7919 % 50021)";
constexpr char kManyTimes[] = "datetime(1700000000 + i * 7919 % 99991, 'unixepoch')";

TEST_F(UserListWorkTest, IsBoundedInEveryOrderWithEveryFilter) {
  Fill(kManyNames, "nullif(i % 120, 0)", kManyTimes);
  for (const std::string order :
       {"", "user_id desc", "name", "name desc", "email", "email desc", "age", "age desc",
        "create_time", "create_time desc", "update_time", "update_time desc", "age, user_id desc",
        "name, age desc", "update_time, age, name", "age desc, update_time, name"}) {
    for (const std::string filter :
         {"", "name:\"nobody\"", "age = 7", "age > 30 AND name:\"nobody\"", "NOT age:*",
          "update_time = 2024-05-01T12:00:00Z AND name:\"nobody\"", "user_id > 90000",
          "create_time > 2023-11-16T01:00:00Z AND age < 0", "name = \"Name 1*\"",
          "age = 7 OR name = nobody"}) {
      PageQuery query = Query(filter, order, 20);
      for (int page = 0; page < 3; ++page) {
        EXPECT_LT(Instructions(query), kInstructionsMax) << order << "; " << filter << "; " << page;
        if (!query.after.has_value()) break;
      }
    }
  }
}

// One key alone would leave everything to a sort of all.
TEST_F(UserListWorkTest, IsBoundedWhereAllUsersAreEqualInTheFirstKey) {
  Fill(kManyNames, "30", "'2024-05-01 12:00:00'");
  for (const std::string order :
       {"create_time, name", "age desc, name, email desc",
        "age, create_time desc, update_time, name desc", "create_time, age, user_id desc"}) {
    PageQuery query = Query("", order, 20);
    found_ = 0;
    for (int page = 0; page < 10; ++page)
      EXPECT_LT(Instructions(query), kInstructionsMax) << order << "; page " << page;
    EXPECT_EQ(found_, 200u) << order << ": and the pages are full";
  }
}

TEST_F(UserListWorkTest, DoesNotGrowWithThePagesBefore) {
  Fill(kManyNames, "30", kManyTimes);
  for (const std::string order : {"age", "age, name", "name desc", "create_time"}) {
    PageQuery query = Query("", order, 1000);
    const int64_t first = Instructions(query, 20'000);
    int64_t last = first;
    for (int page = 1; page < 20; ++page) last = Instructions(query, 20'000);
    EXPECT_LT(last, 2 * first) << order;
  }
}

TEST_F(UserListWorkTest, OfACountIsWhatItsIndexHolds) {
  Fill(kManyNames, "i % 120", kManyTimes);
  const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
  EXPECT_EQ(ReadCount(*connection, sqlite::QueryLimits(), *Filter::Parse("age = 7"))->count, 834);
  EXPECT_LT(CountOnUsers(*connection, SQLITE_STMTSTATUS_VM_STEP), 834 * 30);
}

}  // namespace
}  // namespace userservice::store
