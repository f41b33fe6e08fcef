// Random filters and orders over random rows, some as only other programs write them: the pages put
// together against a sort and an evaluation that share nothing with the SQL.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "service/store/user_scan.h"
#include "tests/store/decoded_users.h"
#include "tests/store/random_filters.h"
#include "tests/store/random_orders.h"
#include "tests/store/random_rows.h"
#include "tests/store/temp_database.h"

namespace userservice::store {
namespace {

class UserListPropertyTest : public ::testing::Test {
 protected:
  UserListPropertyTest() : connection_(database_.Connect()) {
    EXPECT_TRUE(connection_->Execute("PRAGMA synchronous = OFF").ok());
  }

  void Run(std::string_view sql, const std::vector<SqlValue>& values) {
    sqlite::QueryScope scope(*connection_, sql);
    for (size_t i = 0; i < values.size(); ++i) {
      std::visit([&](const auto& typed) { scope.BindAt(static_cast<int>(i) + 1, typed); },
                 values[i]);
    }
    const absl::Status status = scope.Run();
    ASSERT_TRUE(status.ok()) << status << " in " << sql;
  }

  // As bytes, now and then.
  std::string Placeholder() { return random_.OneIn(6) ? "CAST(? AS BLOB)" : "?"; }

  void Insert(Row& row) {
    std::vector<SqlValue> values = {SqlValue(row.user_id), SqlValue(row.name), SqlValue(row.email)};
    std::string age = "NULL";
    if (row.age.has_value()) {
      age = "?";
      values.emplace_back(*row.age);
    } else if (random_.OneIn(2)) {
      age = "22.5";  // is served as absent
    }
    for (const TimeValue* const time : {&row.created, &row.updated}) {
      values.emplace_back();
      if (time->text.has_value()) values.back() = *time->text;
    }
    Run("INSERT INTO users (user_id, name, email, age, created_at, updated_at) VALUES (?, " +
            Placeholder() + ", " + Placeholder() + ", " + age + ", " + Placeholder() + ", " +
            Placeholder() + ")",
        values);
    rows_.push_back(row);
  }

  // Rows of few values, so that those of one are many beside what a page may examine.
  void Fill(size_t count) {
    Run("DELETE FROM users", {});
    rows_.clear();
    const bool same_age = random_.OneIn(4);
    const bool same_time = random_.OneIn(4);
    const std::vector<Row> rows = random_.Rows(count);
    for (Row row : rows) {
      if (same_age) row.age = rows.front().age;
      if (same_time) row.created = rows.front().created;
      if (random_.OneIn(20)) {
        row.updated.text = std::string("2024-05-01 12:00:00.000000\0x", 28);  // is no time
        row.updated.time.reset();
      }
      Insert(row);
    }
  }

  void DeleteOne() {
    const size_t i = random_.Below(rows_.size());
    Run("DELETE FROM users WHERE user_id = ?", {SqlValue(rows_[i].user_id)});
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::vector<int64_t> ListNaively(const Expression* filter, const OrderBy& order) const {
    std::vector<Row> rows = rows_;
    SortNaively(rows, order);
    std::vector<int64_t> ids;
    for (const Row& row : rows) {
      if (filter == nullptr || filter->matches(row)) ids.push_back(row.user_id);
    }
    return ids;
  }

  // Of all pages; `between` runs after each.
  template <class Between>
  std::vector<int64_t> ListByPages(PageQuery query, size_t rows_max, const Between& between) {
    std::vector<int64_t> ids;
    for (int pages = 0; pages < 20'000; ++pages) {
      const absl::StatusOr<UserPage> page =
          ReadPage(*connection_, sqlite::QueryLimits(), query, rows_max);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return ids;
      EXPECT_LE(page->users.count, static_cast<size_t>(query.page_size));
      for (const users::v1::User& user : Decode(page->users)) ids.push_back(user.user_id());
      if (!page->next.has_value()) return ids;
      query.after = page->next;
      between();
    }
    ADD_FAILURE() << "the list never ends";
    return ids;
  }

  // A query, what it means, and how much a page may examine.
  struct Case {
    PageQuery query;
    Expression filter;
    size_t rows_max = 0;
  };
  Case RandomCase() {
    Case random;
    if (!random_.OneIn(4))
      random.filter = RandomFilters(random_).Any(static_cast<int>(random_.Below(4)));
    const absl::StatusOr<Filter> filter = Filter::Parse(random.filter.text);
    EXPECT_TRUE(filter.ok()) << filter.status() << "\n" << random.filter.text;
    random.query.filter = *filter;
    random.query.order_by = *OrderBy::Parse(RandomOrder(random_));
    random.query.page_size = static_cast<int32_t>(1 + random_.Below(12));
    random.rows_max = random_.OneOf<size_t>({1, 2, 3, 7, 20, 1000});
    return random;
  }
  static const Expression* FilterOf(const Case& random) {
    return random.filter.text.empty() ? nullptr : &random.filter;
  }

  const unsigned seed_ = std::random_device()();
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__, seed_};
  RandomRows random_{seed_};
  TempDatabase database_;
  std::unique_ptr<sqlite::Connection> connection_;
  std::vector<Row> rows_;
};

std::string Describe(const PageQuery& query, size_t rows_max) {
  return "order " + query.order_by.text() + ", page " + std::to_string(query.page_size) +
         ", examined " + std::to_string(rows_max) + ", filter " + query.filter.text();
}

TEST_F(UserListPropertyTest, PagesMakeTheListThatANaiveEvaluationGives) {
  size_t listed = 0;
  for (int round = 0; round < 20; ++round) {
    Fill(40);
    for (int i = 0; i < 20; ++i) {
      const Case random = RandomCase();
      const std::vector<int64_t> expected = ListNaively(FilterOf(random), random.query.order_by);
      ASSERT_EQ(ListByPages(random.query, random.rows_max, [] {}), expected)
          << Describe(random.query, random.rows_max);
      listed += expected.size();
    }
  }
  EXPECT_GT(listed, 20u * 20 * 40 / 5) << "the lists are not empty";
}

TEST_F(UserListPropertyTest, UsersThatStayAreSeenOnceWhileOthersComeAndGo) {
  for (int round = 0; round < 40; ++round) {
    Fill(40);
    for (int i = 0; i < 5; ++i) {
      const Case random = RandomCase();
      std::vector<Row> before = rows_;
      int64_t next_id = 1000 * (i + 1);
      std::vector<int64_t> seen = ListByPages(random.query, random.rows_max, [&] {
        if (rows_.size() > 20 && random_.OneIn(2)) DeleteOne();
        if (!random_.OneIn(3)) return;
        Row row = random_.Rows(1).front();
        row.user_id = ++next_id;
        row.email = "new" + std::to_string(next_id) + "@x.org";
        Insert(row);
      });
      const std::set<int64_t> distinct(seen.begin(), seen.end());
      EXPECT_EQ(distinct.size(), seen.size()) << Describe(random.query, random.rows_max);
      std::set<int64_t> stayed;
      for (const Row& row : before) {
        if (std::any_of(rows_.begin(), rows_.end(),
                        [&](const Row& now) { return now.user_id == row.user_id; }))
          stayed.insert(row.user_id);
      }
      const auto came_or_went = [&](int64_t id) { return stayed.count(id) == 0; };
      std::vector<int64_t> expected = ListNaively(FilterOf(random), random.query.order_by);
      std::erase_if(expected, came_or_went);
      std::erase_if(seen, came_or_went);
      ASSERT_EQ(seen, expected) << Describe(random.query, random.rows_max);
    }
  }
}

}  // namespace
}  // namespace userservice::store
