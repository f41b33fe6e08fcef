#include "service/sqlite/transaction.h"

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "service/sqlite/connection_pool.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/result.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

using Kind = Transaction::Kind;

absl::Status InsertPet(Connection& connection, std::string_view name) {
  return QueryScope(connection, "INSERT INTO pets (name) VALUES (?)").Bind(name).Run();
}

TEST(Transaction, KeepsWhatWasCommitted) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ASSERT_TRUE(InsertPet(*connection, "Tom").ok());
  EXPECT_EQ(database.CountPets(), 2);
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(database.CountPets(), 3);
}

// A write, and then every way to leave before the commit.
absl::Status WriteAndLeave(Connection& connection, const std::string& way) {
  auto transaction = Transaction::Begin(connection, Kind::kImmediate);
  if (!transaction.ok()) return transaction.status();
  absl::Status status = InsertPet(connection, "Tom");
  if (!status.ok()) return status;
  if (way == "early return") return absl::OkStatus();
  if (way == "exception") throw std::runtime_error("thrown inside a transaction");
  if (way == "constraint") {
    status = InsertPet(connection, "Rex");
    if (!status.ok()) return status;
  }
  if (way == "deadline") {
    status = RunCached(connection, kEndless, QueryLimits(absl::Now() + absl::Milliseconds(5)));
    if (!status.ok()) return status;
  }
  if (way == "stop") {
    std::stop_source source;
    source.request_stop();
    const std::stop_token stop = source.get_token();
    status = RunCached(connection, kEndless, QueryLimits(absl::InfiniteFuture(), &stop));
    if (!status.ok()) return status;
  }
  if (way == "open query") {
    QueryScope rows(connection, "SELECT id FROM pets");
    const absl::StatusOr<bool> row = rows.Step();
    return row.status();
  }
  transaction->Rollback();
  return absl::OkStatus();
}

TEST(Transaction, IsRolledBackAndItsLeaseReturnedOnEveryOtherExit) {
  const TestDatabase database;
  const auto pool =
      ConnectionPool::Open(ConnectionOptions(database.path(), OpenMode::kReadWrite), 1);
  ASSERT_TRUE(pool.ok()) << pool.status();
  const std::vector<std::pair<std::string, absl::StatusCode>> ways = {
      {"early return", absl::StatusCode::kOk},
      {"exception", absl::StatusCode::kUnknown},
      {"constraint", absl::StatusCode::kAlreadyExists},
      {"deadline", absl::StatusCode::kDeadlineExceeded},
      {"stop", absl::StatusCode::kCancelled},
      {"open query", absl::StatusCode::kOk},
      {"rollback", absl::StatusCode::kOk}};
  for (const auto& [way, code] : ways) {
    SCOPED_TRACE(way);
    try {
      const ConnectionPool::Lease lease = (*pool)->Acquire();
      EXPECT_EQ(WriteAndLeave(*lease, way).code(), code);
    } catch (const std::runtime_error&) {
      EXPECT_EQ(code, absl::StatusCode::kUnknown);
    }
    EXPECT_EQ((*pool)->leased(), 0u);
    EXPECT_EQ((*pool)->active_statements(), 0u);
    const ConnectionPool::Lease lease = (*pool)->Acquire();
    EXPECT_FALSE(lease->in_transaction());
    EXPECT_EQ(BusyStatements(*lease), 0u);
    EXPECT_EQ(database.CountPets(), 2);
  }
}

TEST(Transaction, SaysWhenAnInterruptedWriteHasRolledItBack) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ASSERT_TRUE(InsertPet(*connection, "Tom").ok());
  const absl::Status interrupted = RunCached(
      *connection,
      "INSERT INTO pets (name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
      "SELECT 'pet ' || i FROM n",
      QueryLimits(absl::Now() + absl::Milliseconds(5)));
  EXPECT_EQ(interrupted.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(transaction->Commit().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(database.CountPets(), 2);
}

TEST(Transaction, ReadsOneSnapshot) {
  const TestDatabase database;
  const auto reader = database.Open(OpenMode::kReadOnly);
  const auto count = [&] {
    QueryScope row(*reader, "SELECT count(*) FROM pets");
    return *row.Step() ? row.Int64(0) : -1;
  };
  auto transaction = Transaction::Begin(*reader, Kind::kDeferred);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  EXPECT_EQ(count(), 2);
  ASSERT_TRUE(InsertPet(*database.Open(OpenMode::kReadWrite), "Tom").ok());
  EXPECT_EQ(count(), 2);
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(count(), 3);
}

TEST(Transaction, OfAReadIsThatWhichIsOpenOrOneOfItsOwn) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadOnly);
  {
    const auto outer = Transaction::BeginRead(*connection, QueryLimits());
    ASSERT_TRUE(outer.ok()) << outer.status();
    EXPECT_TRUE(connection->in_transaction());
    {
      const auto inner = Transaction::BeginRead(*connection, QueryLimits());
      ASSERT_TRUE(inner.ok()) << inner.status();
    }
    EXPECT_TRUE(connection->in_transaction()) << "the inner one ends nothing";
  }
  EXPECT_FALSE(connection->in_transaction());
}

TEST(Transaction, WaitsForTheWriteLockNoLongerThanItsLimits) {
  const TestDatabase database;
  const auto holder = database.Open(OpenMode::kReadWrite);
  const auto waiter = database.Open(OpenMode::kReadWrite);
  auto held = Transaction::Begin(*holder, Kind::kImmediate);
  ASSERT_TRUE(held.ok()) << held.status();
  const auto refused = Transaction::Begin(*waiter, Kind::kImmediate,
                                          QueryLimits(absl::Now() + absl::Milliseconds(20)));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(waiter->in_transaction());
  held->Rollback();
  EXPECT_TRUE(Transaction::Begin(*waiter, Kind::kImmediate).ok());
  EXPECT_FALSE(waiter->in_transaction());
}

TEST(TransactionDeathTest, AssertsMisuse) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
#ifndef NDEBUG
  EXPECT_DEATH(static_cast<void>(Savepoint::Begin(*connection)), "inside a transaction");
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok());
  EXPECT_DEATH(static_cast<void>(Transaction::Begin(*connection, Kind::kDeferred)), "do not nest");
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_DEATH(static_cast<void>(transaction->Commit()), "is over");
#else
  EXPECT_FALSE(Savepoint::Begin(*connection).ok());
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  EXPECT_FALSE(Transaction::Begin(*connection, Kind::kDeferred).ok());
#endif
}

TEST(Savepoint, KeepsAFailureFromItsNeighbours) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  const auto insert_two = [&](std::string_view first, std::string_view second) -> absl::Status {
    auto savepoint = Savepoint::Begin(*connection);
    if (!savepoint.ok()) return savepoint.status();
    absl::Status status = InsertPet(*connection, first);
    if (status.ok()) status = InsertPet(*connection, second);
    return status.ok() ? savepoint->Release() : status;
  };
  EXPECT_TRUE(insert_two("Ann", "Ben").ok());
  EXPECT_EQ(insert_two("Cat", "Rex").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(insert_two("Dot", "Eve").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(database.CountPets(), 6);
}

TEST(Savepoint, Nests) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  {
    auto outer = Savepoint::Begin(*connection);
    ASSERT_TRUE(outer.ok()) << outer.status();
    ASSERT_TRUE(InsertPet(*connection, "Ann").ok());
    {
      auto inner = Savepoint::Begin(*connection);
      ASSERT_TRUE(inner.ok()) << inner.status();
      ASSERT_TRUE(InsertPet(*connection, "Ben").ok());
      inner->Rollback();
    }
    ASSERT_TRUE(outer->Release().ok());
  }
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(database.CountPets(), 3);
}

TEST(Savepoint, EndsWithTheTransactionThatSqliteRolledBack) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  auto transaction = Transaction::Begin(*connection, Kind::kImmediate);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  auto savepoint = Savepoint::Begin(*connection);
  ASSERT_TRUE(savepoint.ok()) << savepoint.status();
  ASSERT_TRUE(connection->Execute("ROLLBACK").ok());
  EXPECT_EQ(savepoint->Release().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(transaction->Commit().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace userservice::sqlite
