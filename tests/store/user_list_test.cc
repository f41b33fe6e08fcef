// Pages of users: every order and filter, whatever the rows look like.
#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "service/store/user_scan.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

using Ids = std::vector<int64_t>;

class UserListTest : public UserStoreTest {
 protected:
  // 60 users whose names, ages and times collide.
  void Fill() {
    for (int i = 1; i <= 60; ++i) {
      std::optional<int> age;
      if (i % 7 != 0) age = i * 37 % 11;
      now_ = absl::FromUnixSeconds(1'714'564'800 + i * 13 % 5);
      ASSERT_TRUE(Create(MakeUser(absl::StrCat("N", i * 31 % 17),
                                  absl::StrCat("u", i * 53 % 61, "@x.org"), age))
                      .ok());
    }
  }
};

TEST_F(UserListTest, PagesOfEverySizeMakeTheSameList) {
  Fill();
  for (const std::string order :
       {"", "user_id desc", "name", "name desc, age", "email", "email desc", "age", "age desc",
        "create_time", "update_time desc, name", "age, email desc"}) {
    for (const std::string filter : {"", "age > 5", "NOT age > 5", "name = \"N1*\"", "age = 99"}) {
      const std::vector<int64_t> all = ListIds(Query(filter, order));
      EXPECT_EQ(static_cast<int64_t>(all.size()), Count(filter)) << filter;
      for (const int page_size : {1, 7, 30, static_cast<int>(all.size()) + (all.empty() ? 1 : 0)}) {
        int pages = 0;
        EXPECT_EQ(ListIds(Query(filter, order, page_size), &pages), all) << order << "; " << filter;
        const auto size = static_cast<size_t>(page_size);
        const size_t needed = std::max<size_t>((all.size() + size - 1) / size, 1);
        // Behind the last match there may be rows that do not match: whether one does, a page of
        // its own tells.
        EXPECT_GE(static_cast<size_t>(pages), needed) << order << "; " << filter;
        EXPECT_LE(static_cast<size_t>(pages), filter.empty() ? needed : needed + 1);
      }
    }
  }
}

TEST_F(UserListTest, OrdersAsAsked) {
  ASSERT_TRUE(Create(MakeUser("b", "3@x.org", 30)).ok());
  ASSERT_TRUE(Create(MakeUser("a", "1@x.org")).ok());
  ASSERT_TRUE(Create(MakeUser("B", "2@x.org", 20)).ok());
  ASSERT_TRUE(Create(MakeUser("a", "4@x.org", 30)).ok());
  EXPECT_EQ(ListIds(Query("", "")), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(ListIds(Query("", "age")), (Ids{2, 3, 1, 4})) << "nulls first";
  EXPECT_EQ(ListIds(Query("", "age desc")), (Ids{4, 1, 3, 2})) << "and the other way round";
  EXPECT_EQ(ListIds(Query("", "name")), (Ids{3, 2, 4, 1})) << "by code point";
  EXPECT_EQ(ListIds(Query("", "email")), (Ids{2, 3, 1, 4}));
  EXPECT_EQ(ListIds(Query("age > 25", "name")), (Ids{4, 1}));
}

TEST_F(UserListTest, APageExaminesABoundedNumberOfRows) {
  Fill();
  options_.rows_examined_max = 10;
  Reopen();
  int pages = 0;
  for (const std::string order : {"", "name", "email desc", "age", "update_time desc"}) {
    EXPECT_TRUE(ListIds(Query("name:\"nobody\"", order, 50), &pages).empty());
    EXPECT_EQ(pages, 6) << "60 rows, 10 a page, all of them empty: " << order;
    EXPECT_EQ(ListIds(Query("name:\"n\"", order, 50), &pages).size(), 60u);
    EXPECT_EQ(pages, 6) << order;
  }
}

TEST_F(UserListTest, WhatAnIndexFindsIsNotSearchedFor) {
  Fill();
  options_.rows_examined_max = 10;
  Reopen();
  const std::vector<int64_t> third = {3};
  const std::string email = Get(3)->email();
  int pages = 0;
  for (const std::string order : {"", "name", "email desc", "age", "create_time, name desc"}) {
    EXPECT_EQ(ListIds(Query("user_id = 3 AND name:\"n\"", order, 50), &pages), third);
    EXPECT_EQ(pages, 1) << order;
    EXPECT_EQ(ListIds(Query("email = " + email, order, 50), &pages), third);
    EXPECT_EQ(pages, 1) << order;
    EXPECT_EQ(ListIds(Query("user_id > 55", order, 50), &pages).size(), 5u);
    EXPECT_EQ(pages, 1) << order;
    EXPECT_EQ(ListIds(Query("age = 3", order, 50), &pages).size(), 4u);
    EXPECT_EQ(pages, 1) << order;
    EXPECT_TRUE(ListIds(Query("age = 99", order, 50), &pages).empty());
    EXPECT_EQ(pages, 1) << order;
  }
}

TEST_F(UserListTest, GoesOnWhereAPageExaminesOneRow) {
  Fill();
  options_.rows_examined_max = 1;
  Reopen();
  for (const std::string order : {"", "name", "age desc, name", "create_time"}) {
    EXPECT_EQ(ListIds(Query("", order, 50)).size(), 60u) << order;
    EXPECT_EQ(ListIds(Query("age >= 0", order, 50)).size(), 52u) << order;
    EXPECT_EQ(ListIds(Query("name >= N", order, 50)).size(), 60u) << order;
  }
}

TEST_F(UserListTest, APageSaysOfWhichRevisionItIs) {
  ASSERT_TRUE(Create(MakeUser("a", "a@x.org")).ok());
  ASSERT_TRUE(Create(MakeUser("b", "b@x.org")).ok());
  const PageQuery query = Query("");
  EXPECT_EQ(BlockOn(store().ListUsers(CallContext(), query))->revision, 2);
  ASSERT_TRUE(Delete(2).ok());
  EXPECT_EQ(BlockOn(store().ListUsers(CallContext(), query))->revision, 3);
  EXPECT_EQ(BlockOn(store().CountUsers(CallContext(), query.filter))->revision, 3);
  EXPECT_EQ(BlockOn(store().CountUsers(CallContext(), query.filter))->count, 1);
}

TEST_F(UserListTest, UsersThatComeAndGoBetweenPagesMoveNoOther) {
  Fill();
  PageQuery query = Query("", "email", 20);
  std::vector<int64_t> before = ListIds(query);
  const absl::StatusOr<UserPage> first = BlockOn(store().ListUsers(CallContext(), query));
  ASSERT_TRUE(Delete(before[19]).ok()) << "the very row that the cursor names";
  ASSERT_TRUE(Create(MakeUser("new", "a-first@x.org")).ok());
  query.after = first->next;
  before.erase(before.begin(), before.begin() + 20);
  EXPECT_EQ(ListIds(query), before);
}

TEST_F(UserListTest, APageOfLargeUsersEndsBeforeItIsTooLargeToSend) {
  database_.Execute(
      "INSERT INTO users (name, email) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM "
      "n WHERE i < 500) SELECT printf('%.*c', 5000, 'x'), i || '@x.org' FROM n");
  for (const std::string order : {"", "email", "age"}) {
    PageQuery query = Query("", order);
    const absl::StatusOr<UserPage> page = BlockOn(store().ListUsers(CallContext(), query));
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_GE(page->users.bytes.size(), size_t{1} << 20);
    EXPECT_LT(page->users.bytes.size(), (size_t{1} << 20) + 6000) << "one user past it at most";
    int pages = 0;
    EXPECT_EQ(ListIds(query, &pages).size(), 500u) << order;
    EXPECT_EQ(pages, 3) << order;
  }
}

TEST_F(UserListTest, ACountOfAllUsersCanBeStopped) {
  Fill();
  const int64_t users = Count();
  const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
  EXPECT_EQ(ReadCount(*connection, sqlite::QueryLimits(), Filter())->count, users);
  int64_t instructions = 0;
  for (sqlite3_stmt* statement = sqlite3_next_stmt(connection->handle(), nullptr);
       statement != nullptr; statement = sqlite3_next_stmt(connection->handle(), statement)) {
    if (absl::StartsWith(sqlite3_sql(statement), "SELECT count(*) FROM users"))
      instructions = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
  }
  EXPECT_GE(instructions, users) << "limits are looked at between instructions";
}

// Python stores bytes as a BLOB, and a fraction where an integer was meant.
TEST_F(UserListTest, RowsOfOddTypesEndNoListEarlyNorNever) {
  database_.Execute(
      "INSERT INTO users (name, email, age) VALUES (x'426f62', 'b@x.org', 30.5), ('Ann', "
      "'a@x.org', 30),"
      " (x'ff', 'c@x.org', 31), ('Zoe', 'd@x.org', NULL), (42, 'e@x.org', 30.5)");
  for (const std::string order :
       {"name", "name desc", "age", "age desc", "age, name", "email", "create_time"}) {
    const std::vector<int64_t> all = ListIds(Query("", order));
    EXPECT_EQ(all.size(), 5u) << order;
    EXPECT_EQ(ListIds(Query("", order, 1)), all) << order;
    EXPECT_EQ(ListIds(Query("", order, 2)), all) << order;
  }
  EXPECT_EQ(Get(1)->name(), "Bob");
  EXPECT_FALSE(Get(1)->has_age());
  EXPECT_EQ(Get(3)->name(), "\xEF\xBF\xBD");
}

TEST_F(UserListTest, AnEmailOfBytesIsAnEmailLikeAnyOther) {
  database_.Execute(
      "INSERT INTO users (name, email) VALUES ('a', 'a@x.org'), ('b', CAST('B@x.org' AS BLOB)), "
      "('c', 'c@x.org')");
  EXPECT_EQ(Lookup("b@x.org")->user_id(), 2);
  EXPECT_EQ(ListIds(Query("", "email", 1)), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(ListIds(Query("", "email desc", 1)), (std::vector<int64_t>{3, 2, 1}));
  EXPECT_EQ(ListIds(Query("email = b@x.org")), (std::vector<int64_t>{2}));
  EXPECT_EQ(ReasonOf(Create(MakeUser("d", "b@x.org")).status()), "EMAIL_TAKEN");
}

}  // namespace
}  // namespace userservice::store
