#include "service/sqlite/statement.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "service/sqlite/query_scope.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

std::unique_ptr<Connection> OpenWithCache(const TestDatabase& database, int capacity) {
  ConnectionOptions options(database.path(), OpenMode::kReadOnly);
  options.statement_cache_size = capacity;
  return *Connection::Open(options);
}

std::string Select(int number) { return "SELECT " + std::to_string(number); }

bool IsPrepared(const Connection& connection, const std::string& sql) {
  const std::vector<std::string> prepared = PreparedStatements(connection);
  return std::find(prepared.begin(), prepared.end(), sql) != prepared.end();
}

TEST(StatementCache, CompilesATextOnce) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 8);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(RunCached(*connection, "SELECT id FROM pets").ok());
  EXPECT_EQ(connection->cached_statements(), 1u);
  EXPECT_EQ(PreparedStatements(*connection).size(), 1u);
}

TEST(StatementCache, IsBounded) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 8);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(RunCached(*connection, Select(i)).ok());
  EXPECT_EQ(connection->cached_statements(), 8u);
  EXPECT_EQ(PreparedStatements(*connection).size(), 8u);
}

TEST(StatementCache, LetsTheStatementGoThatWasUnusedForLongest) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 3);
  for (const int number : {1, 2, 3, 1, 4}) {
    ASSERT_TRUE(RunCached(*connection, Select(number)).ok());
  }
  EXPECT_TRUE(IsPrepared(*connection, Select(1)));
  EXPECT_FALSE(IsPrepared(*connection, Select(2)));
  EXPECT_TRUE(IsPrepared(*connection, Select(3)));
  EXPECT_TRUE(IsPrepared(*connection, Select(4)));
}

TEST(StatementCache, GivesTheSecondUserOfATextAStatementOfItsOwn) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 8);
  constexpr char kSql[] = "SELECT id FROM pets ORDER BY id";
  QueryScope outer(*connection, kSql);
  std::vector<int64_t> pairs;
  while (*outer.Step()) {
    QueryScope inner(*connection, kSql);
    while (*inner.Step()) pairs.push_back(outer.Int64(0) * 10 + inner.Int64(0));
  }
  EXPECT_EQ(pairs, (std::vector<int64_t>{11, 12, 21, 22}));
  EXPECT_EQ(connection->cached_statements(), 1u);
  EXPECT_EQ(PreparedStatements(*connection).size(), 1u) << "the second statement was not kept";
}

TEST(StatementCache, NeverLetsAStatementGoThatIsInUse) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 1);
  QueryScope rows(*connection, "SELECT id FROM pets ORDER BY id");
  ASSERT_TRUE(*rows.Step());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(RunCached(*connection, Select(i)).ok());
  ASSERT_TRUE(*rows.Step());
  EXPECT_EQ(rows.Int64(0), 2);
  EXPECT_EQ(PreparedStatements(*connection).size(), 1u);
}

TEST(StatementCache, WorksWithoutRoomForAny) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 0);
  ASSERT_TRUE(RunCached(*connection, Select(1)).ok());
  EXPECT_EQ(PreparedStatements(*connection).size(), 0u);
}

TEST(StatementCache, KeepsNoTextThatCompilesToMuch) {
  const TestDatabase database;
  const auto connection = OpenWithCache(database, 8);
  std::string sql = "SELECT 1";
  while (sql.size() <= 10240) sql += ", 'a text of some length'";
  ASSERT_TRUE(RunCached(*connection, sql).ok());
  EXPECT_EQ(PreparedStatements(*connection).size(), 0u);
}

TEST(StatementCache, SurvivesAChangeOfTheSchema) {
  const TestDatabase database;
  const auto reader = database.Open(OpenMode::kReadOnly);
  ASSERT_TRUE(RunCached(*reader, "SELECT * FROM pets").ok());
  ASSERT_TRUE(database.Open(OpenMode::kReadWrite)->Execute("ALTER TABLE pets ADD COLUMN toy").ok());
  QueryScope rows(*reader, "SELECT * FROM pets");
  ASSERT_TRUE(*rows.Step());
  EXPECT_TRUE(rows.IsNull(3));
}

TEST(Statement, IsExactlyOne) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  EXPECT_TRUE(Statement::Prepare(connection->handle(), "SELECT 1; \n", false).ok());
  EXPECT_FALSE(Statement::Prepare(connection->handle(), "SELECT 1; SELECT 2", false).ok());
  EXPECT_FALSE(Statement::Prepare(connection->handle(), "", false).ok());
  EXPECT_FALSE(Statement::Prepare(connection->handle(), "-- nothing", false).ok());
  EXPECT_FALSE(Statement::Prepare(connection->handle(), "SELEKT", false).ok());
  EXPECT_EQ(PreparedStatements(*connection).size(), 0u);
}

}  // namespace
}  // namespace userservice::sqlite
