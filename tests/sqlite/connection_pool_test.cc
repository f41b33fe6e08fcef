#include "service/sqlite/connection_pool.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "service/sqlite/query_scope.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

std::unique_ptr<ConnectionPool> OpenPool(const TestDatabase& database, size_t connections,
                                         OpenMode mode = OpenMode::kReadOnly) {
  return *ConnectionPool::Open(ConnectionOptions(database.path(), mode), connections);
}

TEST(ConnectionPool, LendsEachConnectionOnce) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 2);
  EXPECT_EQ(pool->size(), 2u);
  {
    const ConnectionPool::Lease first = pool->Acquire();
    const std::optional<ConnectionPool::Lease> second = pool->TryAcquire();
    ASSERT_TRUE(second.has_value());
    EXPECT_NE(&*first, &**second);
    EXPECT_EQ(pool->leased(), 2u);
    EXPECT_FALSE(pool->TryAcquire().has_value());
  }
  EXPECT_EQ(pool->leased(), 0u);
}

TEST(ConnectionPool, LendsFirstWhatCameBackLast) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 3);
  const ConnectionPool::Lease held = pool->Acquire();
  const Connection* const last = &*pool->Acquire();
  EXPECT_EQ(&*pool->Acquire(), last);
}

TEST(ConnectionPool, ReturnsALeaseOnceThoughItWasMoved) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 2);
  {
    ConnectionPool::Lease first = pool->Acquire();
    ConnectionPool::Lease moved = std::move(first);
    moved = pool->Acquire();
    EXPECT_EQ(pool->leased(), 1u) << "the lease that was assigned over is returned";
  }
  EXPECT_EQ(pool->leased(), 0u);
}

TEST(ConnectionPool, ReturnsTheLeaseOfABlockThatThrows) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 1);
  const auto throwing = [&] {
    const ConnectionPool::Lease lease = pool->Acquire();
    QueryScope rows(*lease, "SELECT id FROM pets");
    if (*rows.Step()) throw std::runtime_error("thrown with a row open");
  };
  EXPECT_THROW(throwing(), std::runtime_error);
  EXPECT_EQ(pool->leased(), 0u);
  EXPECT_EQ(pool->active_statements(), 0u);
}

TEST(ConnectionPool, LetsManyThreadsShareFewConnections) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 3);
  std::atomic<int> using_now{0};
  std::atomic<int> too_many{0};
  std::atomic<int> rows_read{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const ConnectionPool::Lease lease = pool->Acquire();
        if (++using_now > 3) ++too_many;
        QueryScope rows(*lease, "SELECT id FROM pets");
        while (*rows.Step()) ++rows_read;
        --using_now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(rows_read, 8 * 200 * 2);
  EXPECT_EQ(pool->leased(), 0u);
  EXPECT_EQ(pool->active_statements(), 0u);
}

TEST(ConnectionPool, CountsActiveStatementsFromAnyThread) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 2);
  const ConnectionPool::Lease lease = pool->Acquire();
  QueryScope rows(*lease, "SELECT id FROM pets");
  ASSERT_TRUE(*rows.Step());
  size_t seen = 0;
  std::thread([&] { seen = pool->active_statements(); }).join();
  EXPECT_EQ(seen, 1u);
}

TEST(ConnectionPool, TellsWhyItCanNotOpen) {
  const TemporaryDirectory directory;
  const auto pool =
      ConnectionPool::Open(ConnectionOptions(directory.File("none.db"), OpenMode::kReadOnly), 2);
  EXPECT_EQ(pool.status().code(), absl::StatusCode::kUnavailable);
}

TEST(ConnectionPoolDeathTest, NeverLendsAConnectionInsideATransaction) {
  const TestDatabase database;
  const auto pool = OpenPool(database, 1, OpenMode::kReadWrite);
  const auto forget = [&] {
    const ConnectionPool::Lease lease = pool->Acquire();
    static_cast<void>(lease->Execute("BEGIN IMMEDIATE; DELETE FROM pets"));
  };
  EXPECT_DEBUG_DEATH(forget(), "inside a transaction");
  const ConnectionPool::Lease lease = pool->Acquire();
  EXPECT_FALSE(lease->in_transaction());
  EXPECT_EQ(database.CountPets(), 2);
}

}  // namespace
}  // namespace userservice::sqlite
