#include "service/store/filter_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/store/users_table.h"

namespace userservice::store {
namespace {

using ::testing::HasSubstr;

using Ids = std::vector<int64_t>;

class FilterSqlTest : public ::testing::Test {
 protected:
  void Add(const std::string& name, const std::string& email, std::optional<int64_t> age,
           const std::optional<std::string>& created_at = std::nullopt) {
    Row row;
    row.user_id = ++last_id_;
    row.name = name;
    row.email = email;
    row.age = age;
    row.created.text = created_at;
    table_.Insert(row);
  }

  void AddNames(const std::vector<std::string>& names) {
    for (const std::string& name : names) Add(name, std::to_string(last_id_) + "@example.com", 30);
  }

  Ids Matching(std::string_view text) {
    const absl::StatusOr<Filter> filter = Filter::Parse(text);
    EXPECT_TRUE(filter.ok()) << filter.status();
    return filter.ok() ? table_.Select(FilterSql(*filter)) : Ids{-1};
  }

  std::string Plan(std::string_view text) { return table_.Plan(FilterSql(*Filter::Parse(text))); }

  UsersTable table_;
  int64_t last_id_ = 0;
};

TEST_F(FilterSqlTest, MatchesAllWithoutAFilter) {
  AddNames({"a", "b"});
  EXPECT_EQ(Matching(""), (Ids{1, 2}));
}

TEST_F(FilterSqlTest, TakesAComparisonWithAnAbsentValueForFalseAndNotOfItForTrue) {
  Add("a", "a@x.org", 25);
  Add("b", "b@x.org", std::nullopt);
  EXPECT_EQ(Matching("age = 25"), (Ids{1}));
  EXPECT_EQ(Matching("age != 25"), (Ids{}));
  EXPECT_EQ(Matching("age != 26"), (Ids{1}));
  EXPECT_EQ(Matching("NOT age = 25"), (Ids{2}));
  EXPECT_EQ(Matching("NOT age != 25"), (Ids{1, 2}));
  EXPECT_EQ(Matching("-(age < 200)"), (Ids{2}));
  EXPECT_EQ(Matching("NOT (NOT age = 25)"), (Ids{1}));
  EXPECT_EQ(Matching("NOT (age = 25 AND name = b)"), (Ids{1, 2}));
  EXPECT_EQ(Matching("NOT (age = 25 OR name = z)"), (Ids{2}));
  EXPECT_EQ(Matching("age:*"), (Ids{1}));
  EXPECT_EQ(Matching("NOT age:*"), (Ids{2}));
  EXPECT_EQ(Matching("NOT create_time > 2024-01-01T00:00:00Z"), (Ids{1, 2}));
}

TEST_F(FilterSqlTest, TakesSqlsAndGlobsOwnCharactersForThemselves) {
  AddNames({"a%b", "a_b", "axb", "a?b", "a[x]b", "a[b", "a]b", "a\\b", "a*b", "a^b", "[a-z]b",
            "O'Hara", "say \"hi\""});
  EXPECT_EQ(Matching("name = \"a%*\""), (Ids{1}));
  EXPECT_EQ(Matching("name = \"a_*\""), (Ids{2}));
  EXPECT_EQ(Matching("name = \"a?*\""), (Ids{4}));
  EXPECT_EQ(Matching("name = \"a[x]*\""), (Ids{5}));
  EXPECT_EQ(Matching("name = \"a[*\""), (Ids{5, 6}));
  EXPECT_EQ(Matching("name = \"a]*\""), (Ids{7}));
  EXPECT_EQ(Matching(R"(name = "a\\*")"), (Ids{8}));
  EXPECT_EQ(Matching(R"(name = "a\**")"), (Ids{9}));
  EXPECT_EQ(Matching(R"(name = "a\*b")"), (Ids{9}));
  EXPECT_EQ(Matching("name = \"a^*\""), (Ids{10}));
  EXPECT_EQ(Matching("name = \"[a-z]*\""), (Ids{11}));
  EXPECT_EQ(Matching("name:\"%\""), (Ids{1}));
  EXPECT_EQ(Matching("name:\"_\""), (Ids{2}));
  EXPECT_EQ(Matching("name = \"O'Hara\""), (Ids{12}));
  EXPECT_EQ(Matching(R"(name = 'say "hi"')"), (Ids{13}));
}

TEST_F(FilterSqlTest, TakesInjectionsForData) {
  const std::vector<std::string> names = {
      "' OR '1'='1", "x'; DROP TABLE users; --", "?1", "?", ":name", "\\'"};
  AddNames(names);
  EXPECT_EQ(Matching("name = \"' OR '1'='1\""), (Ids{1}));
  EXPECT_EQ(Matching("name = \"x'; DROP TABLE users; --\""), (Ids{2}));
  EXPECT_EQ(Matching("name = \"x'; DROP *\""), (Ids{2}));
  EXPECT_EQ(Matching("name:\"' or '\""), (Ids{1}));
  EXPECT_EQ(Matching("name = \"?1\""), (Ids{3}));
  EXPECT_EQ(Matching("name = \":name\""), (Ids{5}));
  EXPECT_EQ(Matching(R"(name = "\\'")"), (Ids{6}));
  EXPECT_EQ(Matching("").size(), names.size());
  for (const char* text : {"1=1", "age > 25; DROP TABLE users", "age > 25 -- x", "age > 25 OR 1=1",
                           "age > '0' OR '1'='1'", "users.age > 1", "\"age\" > 1",
                           "age > (SELECT 1)", "age IN (1,2)", "age > 25 UNION SELECT 1"}) {
    EXPECT_FALSE(Filter::Parse(text).ok()) << text;
  }
}

TEST_F(FilterSqlTest, MatchesWildcardsAtEveryPlace) {
  AddNames({"", "Ann", "Anna", "Joanna", "ann", "\xC3\x84nne", "An\xF0\x9F\x98\x80n"});
  EXPECT_EQ(Matching("name = \"Ann*\""), (Ids{2, 3}));
  EXPECT_EQ(Matching("name = *nna"), (Ids{3, 4}));
  EXPECT_EQ(Matching("name = *ann*"), (Ids{4, 5}));
  EXPECT_EQ(Matching("name = *a*n*a"), (Ids{4}));
  EXPECT_EQ(Matching("name = A*n"), (Ids{2, 7}));
  EXPECT_EQ(Matching("name = *"), (Ids{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Matching("name != *nn*"), (Ids{1, 7}));
  EXPECT_EQ(Matching("name = \"\xC3\x84*\""), (Ids{6}));
  EXPECT_EQ(Matching("name = \"\xC3\xA4*\""), (Ids{}));
}

TEST_F(FilterSqlTest, ContainsWithoutRegardToAsciiCaseAlone) {
  AddNames({"Joanna", "JOANNA", "\xC3\x84nne", "\xC3\xA4NNE"});
  EXPECT_EQ(Matching("name:\"oAN\""), (Ids{1, 2}));
  EXPECT_EQ(Matching("name:\"nne\""), (Ids{3, 4}));
  EXPECT_EQ(Matching("name:\"\xC3\x84nne\""), (Ids{3}));
  EXPECT_EQ(Matching("name:\"\""), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(Matching("name:*"), (Ids{1, 2, 3, 4}));
}

TEST_F(FilterSqlTest, ComparesEmailsWithoutRegardToCase) {
  Add("a", "Ann@Example.com", 1);
  Add("b", "bob@example.com", 2);
  Add("c", "CARL@EXAMPLE.COM", 3);
  EXPECT_EQ(Matching("email = ann@example.com"), (Ids{1}));
  EXPECT_EQ(Matching("email = ANN@EXAMPLE.COM"), (Ids{1}));
  EXPECT_EQ(Matching("email != Ann@example.com"), (Ids{2, 3}));
  EXPECT_EQ(Matching("email = *@example.com"), (Ids{1, 2, 3}));
  EXPECT_EQ(Matching("email != \"c*\""), (Ids{1, 2}));
  EXPECT_EQ(Matching("email < bob@example.com"), (Ids{1}));
  EXPECT_EQ(Matching("email >= bob@example.com"), (Ids{2, 3}));
  EXPECT_EQ(Matching("email:CARL"), (Ids{3}));
}

TEST_F(FilterSqlTest, ComparesTimesAsInstantsHoweverTheyAreStored) {
  Add("a", "1", 1, "2024-05-01 12:00:00");
  Add("b", "2", 1, "2024-05-01 12:00:00.000000");
  Add("c", "3", 1, "2024-05-01T12:00:00");
  Add("d", "4", 1, "2024-05-01 12:00:00.000001");
  Add("e", "5", 1, "2024-05-01 12:00:00.1");
  Add("f", "6", 1, "not a time");
  EXPECT_EQ(Matching("create_time = 2024-05-01T12:00:00Z"), (Ids{1, 2, 3}));
  EXPECT_EQ(Matching("create_time = 2024-05-01T14:00:00+02:00"), (Ids{1, 2, 3}));
  EXPECT_EQ(Matching("create_time:2024-05-01T12:00:00.100Z"), (Ids{5}));
  EXPECT_EQ(Matching("create_time > 2024-05-01T12:00:00Z"), (Ids{4, 5}));
  EXPECT_EQ(Matching("create_time <= 2024-05-01T12:00:00.000001Z"), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(Matching("create_time != 2024-05-01T12:00:00Z"), (Ids{4, 5}));
  EXPECT_EQ(Matching("NOT create_time:*"), (Ids{6}));
}

TEST_F(FilterSqlTest, PutsATimeFinerThanAMicrosecondBetweenTwoStoredOnes) {
  Add("a", "1", 1, "2024-05-01 12:00:00.000001");
  Add("b", "2", 1, "2024-05-01 12:00:00.000002");
  EXPECT_EQ(Matching("create_time < 2024-05-01T12:00:00.0000015Z"), (Ids{1}));
  EXPECT_EQ(Matching("create_time <= 2024-05-01T12:00:00.0000015Z"), (Ids{1}));
  EXPECT_EQ(Matching("create_time > 2024-05-01T12:00:00.0000015Z"), (Ids{2}));
  EXPECT_EQ(Matching("create_time >= 2024-05-01T12:00:00.0000015Z"), (Ids{2}));
  EXPECT_EQ(Matching("create_time = 2024-05-01T12:00:00.0000015Z"), (Ids{}));
  EXPECT_EQ(Matching("create_time != 2024-05-01T12:00:00.0000015Z"), (Ids{1, 2}));
  EXPECT_EQ(Matching("NOT create_time = 2024-05-01T12:00:00.0000015Z"), (Ids{1, 2}));
}

// SQLite takes an index on an expression where it finds that expression letter by letter.
TEST_F(FilterSqlTest, ComparesWhatTheIndexesHold) {
  EXPECT_EQ(FilterSql(*Filter::Parse("user_id > 25")).sql, "(user_id > ?)");
  EXPECT_EQ(Plan("user_id > 5"), "SEARCH users USING INTEGER PRIMARY KEY (rowid>?);");
  EXPECT_THAT(Plan("age = 25"), HasSubstr("USING INDEX users_by_age (<expr>=?)"));
  EXPECT_THAT(Plan("name = ann"), HasSubstr("USING INDEX users_by_name (<expr>=?)"));
  EXPECT_THAT(Plan("email = ann@example.com"), HasSubstr("USING INDEX users_by_email (<expr>=?)"));
  EXPECT_THAT(Plan("create_time = 2024-05-01T12:00:00Z"),
              HasSubstr("USING INDEX users_by_create_time (<expr>=?)"));
  EXPECT_THAT(Plan("update_time = 2024-05-01T12:00:00Z"),
              HasSubstr("USING INDEX users_by_update_time (<expr>=?)"));
}

}  // namespace
}  // namespace userservice::store
