#include "service/sqlite/query_scope.h"

#include <sqlite3.h>

#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "service/sqlite/result.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

// What a limit of 50 ms may take on a busy machine and under sanitizers. A statement that is not
// stopped never ends at all.
constexpr absl::Duration kStoppedWithin = absl::Milliseconds(750);

TEST(QueryScope, BindsAndReadsEveryType) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  const std::string text = "a text";
  const std::optional<int64_t> some = 7;
  const std::optional<std::string> none;
  QueryScope row(*connection, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?");
  row.Bind(int64_t{1} << 62, -5, true, 0.5, text, "literal", StaticText(text), some, none,
           Blob(std::string_view("\0b", 2)), std::nullopt);
  ASSERT_TRUE(*row.Step());
  EXPECT_EQ(row.Int64(0), int64_t{1} << 62);
  EXPECT_EQ(row.Int64(1), -5);
  EXPECT_EQ(row.Int64(2), 1);
  EXPECT_EQ(row.Double(3), 0.5);
  EXPECT_EQ(row.Text(4), text);
  EXPECT_EQ(row.Text(5), "literal");
  EXPECT_EQ(row.Text(6), text);
  EXPECT_EQ(row.Int64(7), 7);
  EXPECT_TRUE(row.IsNull(8));
  EXPECT_EQ(row.Blob(9), std::string_view("\0b", 2));
  EXPECT_TRUE(row.IsNull(10));
  EXPECT_FALSE(*row.Step());
}

TEST(QueryScope, KeepsEmptyTextApartFromNull) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope row(*connection, "SELECT typeof(?), typeof(?), typeof(?)");
  row.Bind(std::string_view(), Blob(std::string_view()), std::monostate());
  ASSERT_TRUE(*row.Step());
  EXPECT_EQ(row.Text(0), "text");
  EXPECT_EQ(row.Text(1), "blob");
  EXPECT_EQ(row.Text(2), "null");
}

TEST(QueryScope, KeepsTextWithNulBytesWhole) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  const std::string text("a\0b", 3);
  QueryScope row(*connection, "SELECT ?");
  row.Bind(text);
  ASSERT_TRUE(*row.Step());
  EXPECT_EQ(row.Text(0), text);
}

TEST(QueryScope, TakesInjectedSqlForData) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  const std::string name = "'); DROP TABLE pets; --";
  QueryScope insert(*connection, "INSERT INTO pets (name) VALUES (?)");
  ASSERT_TRUE(insert.Bind(name).Run().ok());
  EXPECT_EQ(database.CountPets(), 3);
}

TEST(QueryScope, CopiesTextThatItBinds) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope row(*connection, "SELECT ?");
  {
    const std::string gone = "a text too long for the string's own buffer";
    row.BindAt(1, gone);
  }
  ASSERT_TRUE(*row.Step());
  EXPECT_EQ(row.Text(0), "a text too long for the string's own buffer");
}

TEST(QueryScope, StaysAtTheEndOnceItIsThere) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  QueryScope insert(*connection, "INSERT INTO pets (name) VALUES ('Tom')");
  EXPECT_FALSE(*insert.Step());
  EXPECT_FALSE(*insert.Step());
  EXPECT_EQ(database.CountPets(), 3) << "a second step must not run the statement again";
  EXPECT_EQ(connection->last_insert_rowid(), 3);
  EXPECT_EQ(connection->changes(), 1);
}

constexpr char kVisitPets[] =
    "SELECT 1 FROM pets WHERE id > ? AND visit_row(id, name, age) ORDER BY id";

TEST(QueryScope, ShowsRowsInOrderUntilItsVisitorEndsTheStatement) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(connection->Execute("INSERT INTO pets (name) VALUES ('Tom'), ('Zoe')").ok());
  std::string seen;
  const auto until_tom = [&seen](const RowValues& row) {
    seen += absl::StrCat(row.Int64(0), std::string(row.Text(1)), row.IsInteger(2) ? "+" : "-", " ");
    return row.Text(1) == "Tom";
  };
  EXPECT_TRUE(*QueryScope(*connection, kVisitPets).Bind(0).Visit(until_tom));
  EXPECT_EQ(seen, "1Rex+ 2Mia+ 3Tom- ");
  EXPECT_FALSE(*QueryScope(*connection, kVisitPets).Bind(3).Visit(until_tom));
  EXPECT_EQ(seen, "1Rex+ 2Mia+ 3Tom- 4Zoe- ");
}

TEST(QueryScope, ShowsRowsToVisitorsOnly) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope rows(*connection, kVisitPets);
  EXPECT_EQ(rows.Bind(0).Step().status().code(), absl::StatusCode::kInternal);
}

TEST(QueryScope, EndsWithAnErrorWhereItsVisitorThrows) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  {
    QueryScope rows(*connection, kVisitPets);
    const auto throws = [](const RowValues&) -> bool { throw std::bad_alloc(); };
    EXPECT_EQ(rows.Bind(0).Visit(throws).status().code(), absl::StatusCode::kInternal);
  }
  EXPECT_EQ(BusyStatements(*connection), 0U);
  QueryScope rows(*connection, kVisitPets);
  EXPECT_FALSE(*rows.Bind(0).Visit([](const RowValues&) { return false; }));
}

TEST(QueryScope, StopsAVisitAtItsDeadline) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope rows(*connection,
                  "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) "
                  "SELECT 1 FROM numbers WHERE visit_row(n)",
                  QueryLimits(absl::Now() + absl::Milliseconds(5)));
  EXPECT_EQ(rows.Visit([](const RowValues&) { return false; }).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(QueryScope, TellsErrorsOfPreparingAndBindingFromItsFirstStep) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope unprepared(*connection, "SELECT age FROM cats WHERE id = ?");
  unprepared.Bind(1);
  EXPECT_EQ(unprepared.Step().status().code(), absl::StatusCode::kInternal);
  EXPECT_NE(unprepared.Run().message().find("no such table: cats"), absl::string_view::npos);

  QueryScope too_few(*connection, "SELECT ?, ?");
  EXPECT_EQ(too_few.Bind(1).Run().code(), absl::StatusCode::kInternal);
  QueryScope too_many(*connection, "SELECT ?");
  EXPECT_EQ(too_many.Bind(1, 2).Run().code(), absl::StatusCode::kInternal);
  QueryScope beyond(*connection, "SELECT ?");
  EXPECT_EQ(beyond.BindAt(2, "two").Run().code(), absl::StatusCode::kInternal);
}

// Every way to leave a scope. Each statement has "secret" bound, which must not stay bound.
std::vector<std::pair<std::string, std::function<void(Connection&)>>> Exits() {
  constexpr char kRows[] = "SELECT id FROM pets WHERE name <> ?";
  static const std::stop_source stopped = [] {
    std::stop_source source;
    source.request_stop();
    return source;
  }();
  static const std::stop_token stop = stopped.get_token();
  constexpr char kEndlessFrom[] =
      "WITH RECURSIVE numbers(n) AS (SELECT length(?) UNION ALL SELECT n + 1 FROM numbers) "
      "SELECT max(n) FROM numbers";
  return {
      {"success",
       [=](Connection& c) { EXPECT_TRUE(QueryScope(c, kRows).Bind("secret").Run().ok()); }},
      {"left at a row",
       [=](Connection& c) { EXPECT_TRUE(*QueryScope(c, kRows).Bind("secret").Step()); }},
      {"never stepped", [=](Connection& c) { QueryScope(c, kRows).Bind("secret"); }},
      {"constraint",
       [](Connection& c) {
         QueryScope insert(c, "INSERT INTO pets (id, name) VALUES (1, ?)");
         EXPECT_EQ(insert.Bind("secret").Run().code(), absl::StatusCode::kAlreadyExists);
       }},
      {"early return",
       [=](Connection& c) {
         QueryScope rows(c, kRows);
         rows.Bind("secret");
         while (*rows.Step()) {
           if (rows.Int64(0) == 1) return;
         }
       }},
      {"exception",
       [=](Connection& c) {
         QueryScope rows(c, kRows);
         rows.Bind("secret");
         ASSERT_TRUE(*rows.Step());
         throw std::runtime_error("thrown between two rows");
       }},
      {"deadline",
       [=](Connection& c) {
         QueryScope rows(c, kEndlessFrom, QueryLimits(absl::Now() + absl::Milliseconds(5)));
         EXPECT_EQ(rows.Bind("secret").Run().code(), absl::StatusCode::kDeadlineExceeded);
       }},
      {"stopped",
       [=](Connection& c) {
         QueryScope rows(c, kEndlessFrom, QueryLimits(absl::InfiniteFuture(), &stop));
         EXPECT_EQ(rows.Bind("secret").Run().code(), absl::StatusCode::kCancelled);
       }},
      {"not prepared",
       [](Connection& c) { EXPECT_FALSE(QueryScope(c, "SELEKT ?").Bind("secret").Run().ok()); }},
      {"not bound",
       [=](Connection& c) {
         QueryScope rows(c, kRows);
         EXPECT_FALSE(rows.BindAt(1, "secret").BindAt(2, "secret").Run().ok());
       }},
  };
}

TEST(QueryScope, ResetsTheStatementOnEveryExit) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  for (const auto& [name, leave] : Exits()) {
    SCOPED_TRACE(name);
    for (int round = 0; round < 3; ++round) {
      try {
        leave(*connection);
      } catch (const std::runtime_error&) {
        EXPECT_EQ(name, "exception");
      }
      EXPECT_EQ(connection->active_statements(), 0u);
      EXPECT_EQ(connection->open_scopes(), 0u);
      EXPECT_EQ(BusyStatements(*connection), 0u);
      EXPECT_FALSE(connection->in_transaction());
      for (const std::string& statement : PreparedStatements(*connection)) {
        EXPECT_EQ(statement.find("secret"), std::string::npos) << statement;
      }
    }
  }
  EXPECT_EQ(database.CountPets(), 2);
}

TEST(QueryScope, CountsTheStatementsThatAreActive) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope outer(*connection, "SELECT id FROM pets");
  EXPECT_EQ(connection->active_statements(), 0u);
  ASSERT_TRUE(*outer.Step());
  EXPECT_EQ(connection->active_statements(), 1u);
  EXPECT_EQ(BusyStatements(*connection), 1u);
  {
    QueryScope inner(*connection, "SELECT name FROM pets");
    ASSERT_TRUE(*inner.Step());
    EXPECT_EQ(connection->active_statements(), 2u);
    EXPECT_EQ(connection->open_scopes(), 2u);
  }
  EXPECT_EQ(connection->active_statements(), 1u);
}

TEST(QueryScope, EndsAtItsDeadlineAndLeavesTheConnectionUsable) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  for (int round = 0; round < 3; ++round) {
    const absl::Time deadline = absl::Now() + absl::Milliseconds(20);
    const absl::Status status = RunCached(*connection, kEndless, QueryLimits(deadline));
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(ExtendedResultCode(status), SQLITE_INTERRUPT);
    EXPECT_GE(absl::Now(), deadline);
    EXPECT_LT(absl::Now() - deadline, kStoppedWithin);
    EXPECT_TRUE(RunCached(*connection, "SELECT id FROM pets").ok());
  }
}

TEST(QueryScope, EndsWhenAskedToStopFromAnotherThread) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  absl::Time asked;
  std::thread stopper([&] {
    while (connection->active_statements() == 0) std::this_thread::yield();
    asked = absl::Now();
    source.request_stop();
  });
  const absl::Status status =
      RunCached(*connection, kEndless, QueryLimits(absl::InfiniteFuture(), &stop));
  const absl::Time ended = absl::Now();
  stopper.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_LT(ended - asked, kStoppedWithin);
  EXPECT_TRUE(RunCached(*connection, "SELECT id FROM pets").ok());
}

TEST(QueryScope, DoesNotBeginPastItsDeadline) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  const QueryLimits limits(absl::Now() - absl::Seconds(1));
  EXPECT_EQ(RunCached(*connection, "DELETE FROM pets", limits).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(database.CountPets(), 2);
}

TEST(QueryScope, KeepsLimitsToTheStatementThatHasThem) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  QueryScope outer(*connection, "SELECT id FROM pets", QueryLimits(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(*outer.Step());
  QueryScope inner(*connection, kEndless, QueryLimits(absl::Now() + absl::Milliseconds(5)));
  EXPECT_EQ(inner.Run().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(*outer.Step()) << "the outer statement goes on where it was";
  QueryScope unlimited(
      *connection,
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
      "SELECT count(*) FROM n");
  ASSERT_TRUE(*unlimited.Step());
  EXPECT_EQ(unlimited.Int64(0), 100000);
}

TEST(QueryScope, HonoursItsDeadlineWhileItWaitsForALock) {
  const TestDatabase database;
  const auto holder = database.Open(OpenMode::kReadWrite);
  const auto waiter = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(holder->Execute("BEGIN IMMEDIATE").ok());
  const absl::Time deadline = absl::Now() + absl::Milliseconds(30);
  const absl::Status status =
      RunCached(*waiter, "INSERT INTO pets (name) VALUES ('Tom')", QueryLimits(deadline));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GE(absl::Now(), deadline);
  EXPECT_LT(absl::Now() - deadline, kStoppedWithin);
  ASSERT_TRUE(holder->Execute("ROLLBACK").ok());
  EXPECT_TRUE(RunCached(*waiter, "INSERT INTO pets (name) VALUES ('Tom')").ok());
}

TEST(QueryScope, SaysThatAStaleSnapshotNeedsANewTransaction) {
  const TestDatabase database;
  const auto stale = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(stale->Execute("BEGIN").ok());
  ASSERT_TRUE(RunCached(*stale, "SELECT id FROM pets").ok());
  ASSERT_TRUE(database.Open(OpenMode::kReadWrite)->Execute("DELETE FROM pets WHERE id = 2").ok());
  const absl::Time start = absl::Now();
  const absl::Status status = RunCached(*stale, "DELETE FROM pets");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ExtendedResultCode(status), SQLITE_BUSY_SNAPSHOT);
  EXPECT_NE(status.message().find("begin it again"), absl::string_view::npos);
  EXPECT_LT(absl::Now() - start, absl::Seconds(2)) << "waiting does not cure it";
  ASSERT_TRUE(stale->Execute("ROLLBACK").ok());
}

TEST(QueryScope, AddsUpTheTimeInsideSqlite) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  absl::Duration sql_time;
  const absl::Time start = absl::Now();
  EXPECT_FALSE(RunCached(*connection, kEndless,
                         QueryLimits(start + absl::Milliseconds(20), nullptr, &sql_time))
                   .ok());
  EXPECT_GE(sql_time, absl::Milliseconds(19));
  EXPECT_LE(sql_time, absl::Now() - start);
  const absl::Duration before = sql_time;
  EXPECT_TRUE(RunCached(*connection, "SELECT id FROM pets",
                        QueryLimits(absl::InfiniteFuture(), nullptr, &sql_time))
                  .ok());
  EXPECT_GT(sql_time, before);
}

}  // namespace
}  // namespace userservice::sqlite
