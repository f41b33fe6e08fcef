#include "service/sqlite/connection.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/result.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

std::string Answer(Connection& connection, const std::string& sql) {
  QueryScope row(connection, sql);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return found.status().ToString();
  return *found ? std::string(row.Text(0)) : "no row";
}

const std::vector<std::string>& Writes() {
  static const std::vector<std::string> writes = {
      "INSERT INTO pets (name) VALUES ('Tom')",
      "UPDATE pets SET age = age + 1",
      "DELETE FROM pets",
      "CREATE TABLE toys (id INTEGER)",
      "CREATE INDEX pets_by_age ON pets(age)",
      "DROP TABLE pets",
      "PRAGMA user_version = 7",
  };
  return writes;
}

absl::StatusOr<std::unique_ptr<Connection>> OpenGuarded(const TestDatabase& database,
                                                        bool open_flag, bool query_only,
                                                        bool authorizer) {
  ConnectionOptions options(database.path(), OpenMode::kReadOnly);
  options.read_only_guards.open_flag = open_flag;
  options.read_only_guards.query_only = query_only;
  options.read_only_guards.authorizer = authorizer;
  return Connection::Open(options);
}

void ExpectNoWritePasses(const TestDatabase& database, Connection& connection) {
  for (const std::string& write : Writes()) {
    const absl::Status status = RunCached(connection, write);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << write << ": " << status;
  }
  EXPECT_EQ(Answer(connection, "SELECT group_concat(name || age) FROM pets"), "Rex3,Mia5");
  EXPECT_EQ(Answer(connection, "PRAGMA user_version"), "0");
  EXPECT_EQ(database.CountPets(), 2);
}

TEST(ReadOnlyConnection, IsKeptFromWritingByTheOpenFlagAlone) {
  const TestDatabase database;
  const auto connection = OpenGuarded(database, true, false, false);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ExpectNoWritePasses(database, **connection);
}

TEST(ReadOnlyConnection, IsKeptFromWritingByQueryOnlyAlone) {
  const TestDatabase database;
  const auto connection = OpenGuarded(database, false, true, false);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ExpectNoWritePasses(database, **connection);
}

TEST(ReadOnlyConnection, IsKeptFromWritingByTheAuthorizerAlone) {
  const TestDatabase database;
  const auto connection = OpenGuarded(database, false, false, true);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ExpectNoWritePasses(database, **connection);
}

TEST(ReadOnlyConnection, HasNothingElseThatKeepsItFromWriting) {
  const TestDatabase database;
  const auto connection = OpenGuarded(database, false, false, false);
  ASSERT_TRUE(connection.ok()) << connection.status();
  for (const std::string& write : Writes()) EXPECT_TRUE(RunCached(**connection, write).ok());
}

TEST(ReadOnlyConnection, CanNotLiftItsGuardsOrReachAnotherFile) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  const std::string other = database.directory() + "/other.db";
  for (const std::string& sql :
       std::vector<std::string>{"PRAGMA query_only = OFF", "ATTACH '" + other + "' AS other",
                                "VACUUM INTO '" + other + "'", "CREATE TEMP TABLE notes (text)",
                                "PRAGMA wal_checkpoint", "PRAGMA journal_mode = DELETE"}) {
    EXPECT_EQ(RunCached(*connection, sql).code(), absl::StatusCode::kPermissionDenied) << sql;
  }
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST(ReadOnlyConnection, ReadsInTransactionsAndAsksPragmas) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  ASSERT_TRUE(connection->Execute("BEGIN").ok());
  EXPECT_EQ(Answer(*connection, "SELECT upper(name) FROM pets WHERE id = 2"), "MIA");
  EXPECT_EQ(Answer(*connection, "PRAGMA quick_check(1)"), "ok");
  EXPECT_EQ(Answer(*connection, "PRAGMA table_info(pets)"), "0");
  ASSERT_TRUE(connection->Execute("COMMIT").ok());
}

TEST(Connection, HasItsSettings) {
  const TestDatabase database;
  for (const OpenMode mode : {OpenMode::kReadOnly, OpenMode::kReadWrite}) {
    ConnectionOptions options(database.path(), mode);
    options.read_only_guards.authorizer = false;  // which forbids most of these questions
    options.cache_kib = 1234;
    const auto opened = Connection::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    Connection& connection = **opened;
    const std::vector<std::pair<std::string, std::string>> settings = {
        {"foreign_keys", "1"},
        {"synchronous", "2"},
        {"secure_delete", "1"},
        {"temp_store", "2"},
        {"cell_size_check", "1"},
        {"trusted_schema", "0"},
        {"journal_mode", "wal"},
        {"cache_size", "-1234"},
        {"query_only", mode == OpenMode::kReadOnly ? "1" : "0"},
        {"mmap_size", "0"},
        {"wal_autocheckpoint", "1000"}};
    for (const auto& [name, value] : settings) {
      EXPECT_EQ(Answer(connection, "PRAGMA " + name), value) << name;
    }
    int defensive = 0;
    sqlite3_db_config(connection.handle(), SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
    EXPECT_EQ(defensive, 1);
    EXPECT_FALSE(RunCached(connection, "SELECT load_extension('mod_spatialite')").ok());
    EXPECT_FALSE(RunCached(connection, "SELECT \"not a column\" FROM pets").ok());
    EXPECT_EQ(sqlite3_db_mutex(connection.handle()), nullptr);
  }
}

TEST(Connection, WaitsForALockForItsBusyTimeoutOnly) {
  const TestDatabase database;
  const auto holder = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(holder->Execute("BEGIN IMMEDIATE").ok());
  ConnectionOptions options(database.path(), OpenMode::kReadWrite);
  options.busy_timeout_ms = 30;
  const auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Time start = absl::Now();
  const absl::Status status = (*connection)->Execute("BEGIN IMMEDIATE");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(IsBusy(status));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(30));
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
  ASSERT_TRUE(holder->Execute("ROLLBACK").ok());
  EXPECT_TRUE((*connection)->Execute("BEGIN IMMEDIATE; ROLLBACK").ok());
}

TEST(Connection, NamesTheFileThatItCanNotOpen) {
  const TemporaryDirectory directory;
  const std::string missing = directory.File("missing.db");
  const auto connection = Connection::Open(ConnectionOptions(missing, OpenMode::kReadOnly));
  EXPECT_EQ(connection.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(connection.status().message().find(missing), absl::string_view::npos);
  EXPECT_FALSE(std::filesystem::exists(missing));

  const std::string garbage = directory.File("garbage.db");
  std::ofstream(garbage) << std::string(8192, 'x');
  const auto no_database = Connection::Open(ConnectionOptions(garbage, OpenMode::kReadOnly));
  EXPECT_EQ(no_database.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(IsNotADatabase(no_database.status()));
  EXPECT_NE(no_database.status().message().find(garbage), absl::string_view::npos);

  EXPECT_FALSE(Connection::Open(ConnectionOptions("", OpenMode::kCreate)).ok());
}

TEST(Connection, TakesEveryPathForAFileName) {
  const TemporaryDirectory directory;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  for (const std::string name : {":memory:", "file:pets.db?mode=memory", "50%41 off#1?.db"}) {
    for (const bool immutable : {false, true}) {
      ConnectionOptions options(name, immutable ? OpenMode::kReadOnly : OpenMode::kCreate);
      options.immutable = immutable;
      const auto connection = Connection::Open(options);
      ASSERT_TRUE(connection.ok()) << connection.status();
      if (!immutable) {
        ASSERT_TRUE((*connection)->Execute("CREATE TABLE pets (id INTEGER)").ok());
      }
      EXPECT_TRUE(RunCached(**connection, "SELECT id FROM pets").ok()) << name;
      EXPECT_TRUE(std::filesystem::exists(directory.File(name)));
    }
  }
  std::filesystem::current_path(before);
}

// Of the calling thread, all of them.
int64_t ContextSwitches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

// How often the processor is given to another thread, which wants all it can get, during a long
// query.
int64_t SwitchesDuringAQuery(const TestDatabase& database, bool yields) {
  ConnectionOptions options(database.path(), OpenMode::kReadOnly);
  options.yields = yields;
  const auto connection = Connection::Open(options);
  EXPECT_TRUE(connection.ok()) << connection.status();
  std::atomic<bool> over = false;
  std::thread other([&over] {
    while (!over) {
    }
  });
  const int64_t before = ContextSwitches();
  EXPECT_EQ(Answer(**connection,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
                   "SELECT max(i) FROM n"),
            "100000");
  const int64_t switches = ContextSwitches() - before;
  over = true;
  other.join();
  return switches;
}

TEST(Connection, YieldsToOtherThreadsIfItIsTo) {
  const TestDatabase database;
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);  // the threads it starts, too
  const int64_t kept = SwitchesDuringAQuery(database, false);
  const int64_t yielded = SwitchesDuringAQuery(database, true);
  EXPECT_GT(yielded, 3 * kept) << kept;
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace userservice::sqlite
