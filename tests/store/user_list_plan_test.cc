// Which index each statement of a page reads, as EXPLAIN QUERY PLAN tells of the statements that
// really ran.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "service/store/field_sql.h"
#include "service/store/user_batch.h"
#include "service/store/user_scan.h"
#include "tests/store/statement_status.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;

using Plans = std::vector<std::string>;

class UserListPlanTest : public UserStoreTest {
 protected:
  void SetUp() override {
    for (int i = 1; i <= 30; ++i) {
      std::optional<int> age;
      if (i % 3 != 0) age = i % 2;
      ASSERT_TRUE(Create(MakeUser(absl::StrCat("N", i), absl::StrCat(i, "@x.org"), age)).ok());
    }
  }

  // Of the first page, or of the one after it.
  Plans PlansOf(const std::string& filter, const std::string& order, bool next = false,
                size_t rows_max = 1000) {
    PageQuery query = Query(filter, order, 2);
    if (next) query.after = Read(*database_.Connect(), query, rows_max);
    const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
    Read(*connection, query, rows_max);
    return PlansOnUsers(*connection);
  }

 private:
  static std::optional<PageCursor> Read(sqlite::Connection& connection, const PageQuery& query,
                                        size_t rows_max) {
    const absl::StatusOr<UserPage> page =
        ReadPage(connection, sqlite::QueryLimits(), query, rows_max);
    EXPECT_TRUE(page.ok()) << page.status();
    return page->next;
  }
};

TEST_F(UserListPlanTest, ByUserIdIsTheTableItself) {
  EXPECT_THAT(PlansOf("", ""), ElementsAre("SEARCH users USING INTEGER PRIMARY KEY (rowid>?)"));
  EXPECT_THAT(PlansOf("", "", true),
              ElementsAre("SEARCH users USING INTEGER PRIMARY KEY (rowid>?)"));
  EXPECT_THAT(PlansOf("", "user_id desc", true),
              ElementsAre("SEARCH users USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
}

// With statistics of a small table SQLite would make a Bloom filter of all of it first.
TEST_F(UserListPlanTest, ABatchReadsTheUsersOfItsNumbersAlone) {
  ASSERT_TRUE(database_.Connect()->Execute("ANALYZE").ok());
  const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
  for (const int64_t size : {1, 20, 64, 100}) {
    std::vector<int64_t> user_ids;
    for (int64_t i = 0; i < size; ++i) user_ids.push_back(1 + i % 30);
    ASSERT_TRUE(ReadBatch(*connection, sqlite::QueryLimits(), user_ids).ok());
  }
  const Plans plans = PlansOnUsers(*connection);
  EXPECT_EQ(plans.size(), 4);
  for (const std::string& plan : plans) {
    EXPECT_THAT(plan, ::testing::HasSubstr("SEARCH users USING INTEGER PRIMARY KEY (rowid=?)"));
    EXPECT_THAT(plan, Not(::testing::HasSubstr("BLOOM")));
  }
}

TEST_F(UserListPlanTest, ByOneFieldIsItsIndexAndNoSort) {
  for (const UserField field : kIndexedFields) {
    const std::string name(NameOf(field));
    const std::string search = "SEARCH users USING INDEX " + IndexName(field);
    for (const std::string& order : {name, name + " desc"}) {
      for (const bool next : {false, true}) {
        for (const std::string& plan : PlansOf("name:\"n\"", order, next)) {
          EXPECT_THAT(plan, ::testing::StartsWith(search)) << order;
          EXPECT_THAT(plan, Not(::testing::HasSubstr("TEMP B-TREE"))) << order;
        }
      }
    }
  }
}

TEST_F(UserListPlanTest, TheNextPageIsTheRestOfAValueAndThenTheValuesBehindIt) {
  EXPECT_THAT(PlansOf("age:* AND name:\"nobody\"", "age", true, 12),
              ElementsAre("SEARCH users USING INDEX users_by_age (<expr>=? AND rowid>?)",
                          "SEARCH users USING INDEX users_by_age (<expr>>?)"));
  EXPECT_THAT(PlansOf("age < 9 AND name:\"nobody\"", "age desc", true, 12),
              ElementsAre("SEARCH users USING INDEX users_by_age (<expr>=? AND rowid<?)",
                          "SEARCH users USING INDEX users_by_age (<expr>>? AND <expr><?)"));
  EXPECT_THAT(PlansOf("", "age"), ElementsAre("SEARCH users USING INDEX users_by_age (<expr>=?)"))
      << "the absent first";
}

TEST_F(UserListPlanTest, SeveralKeysSortRunsOfTheFirst) {
  const Plans plans = PlansOf("", "create_time, name");
  EXPECT_THAT(
      plans.back(),
      "SEARCH users USING INDEX users_by_create_time (<expr>=?); USE TEMP B-TREE FOR ORDER BY");
  EXPECT_THAT(PlansOf("", "name, age").back(),
              "SEARCH users USING INDEX users_by_name (<expr>>? AND <expr><?); "
              "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY");
}

TEST_F(UserListPlanTest, ARunThatIsTooLongIsReadByTheNextKey) {
  EXPECT_EQ(PlansOf("", "create_time, name", false, 5).back(),
            "SEARCH users USING INDEX users_by_name (<expr>>?)");
  EXPECT_EQ(PlansOf("", "create_time, user_id desc", true, 5).back(),
            "SEARCH users USING INDEX users_by_create_time (<expr>=? AND rowid>? AND rowid<?)");
}

TEST_F(UserListPlanTest, AValueThatTheFilterGivesIsLookedUp) {
  EXPECT_THAT(PlansOf("age = 1 AND name:\"n\"", "", true),
              ElementsAre("SEARCH users USING INDEX users_by_age (<expr>=? AND rowid>?)"));
  EXPECT_EQ(PlansOf("email = 7@x.org", "").back(),
            "SEARCH users USING INDEX users_by_email (<expr>=? AND rowid>?)");
  EXPECT_EQ(PlansOf("user_id = 7", "name desc").back(),
            "SEARCH users USING INTEGER PRIMARY KEY (rowid=?)");
  EXPECT_EQ(PlansOf("name = N7 AND age > 0", "create_time").back(),
            "SEARCH users USING INDEX users_by_name (<expr>=?); USE TEMP B-TREE FOR ORDER BY");
  EXPECT_EQ(PlansOf("age = 1 OR age = 0", "").back(),
            "SEARCH users USING INTEGER PRIMARY KEY (rowid>?)");
}

// SQLite sorts by a time even if all rows have the same.
TEST_F(UserListPlanTest, AnOrderByTheOneValueThatTheFilterLeavesIsNotSorted) {
  const std::string filter = "update_time = 2024-05-01T12:00:00Z AND name:\"n\"";
  for (const std::string order : {"update_time", "update_time desc"}) {
    for (const std::string& plan : PlansOf(filter, order))
      EXPECT_FALSE(absl::StrContains(plan, "TEMP B-TREE")) << order << ": " << plan;
  }
}

// Another program's ANALYZE, or its index, changes none of that.
TEST_F(UserListPlanTest, IsTheSameOnEveryDatabase) {
  const std::vector<std::pair<std::string, std::string>> queries = {
      {"", "age"},
      {"age = 1", ""},
      {"age > 0 AND name = N7", "create_time"},
      {"user_id > 3", "name"}};
  std::vector<Plans> before;
  for (const auto& [filter, order] : queries) before.push_back(PlansOf(filter, order));
  database_.Execute("CREATE INDEX another ON users(age, name, created_at); ANALYZE");
  std::vector<Plans> after;
  for (const auto& [filter, order] : queries) after.push_back(PlansOf(filter, order));
  EXPECT_EQ(before, after);
}

TEST_F(UserListPlanTest, CountsReadTheIndexOfTheFilter) {
  const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
  ASSERT_TRUE(
      ReadCount(*connection, sqlite::QueryLimits(), *Filter::Parse("age = 1 AND name:\"n\"")).ok());
  EXPECT_THAT(PlansOnUsers(*connection),
              ElementsAre("SEARCH users USING INDEX users_by_age (<expr>=?)"));
}

TEST_F(UserListPlanTest, ARangeThatLeavesNothingOutGivesWayToOneThatDoes) {
  for (const std::string filter :
       {"email = \"*@x.org\" AND age > 0", "create_time:* AND age > 0"}) {
    const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
    ASSERT_TRUE(ReadCount(*connection, sqlite::QueryLimits(), *Filter::Parse(filter)).ok());
    EXPECT_THAT(PlansOnUsers(*connection),
                ElementsAre("SEARCH users USING INDEX users_by_age (<expr>>?)"))
        << filter;
  }
}

}  // namespace
}  // namespace userservice::store
