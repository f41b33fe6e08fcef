// What reads that share a snapshot must keep: what was acknowledged is seen, and nothing stays
// open. See service/store/point_snapshots.h.
#include "service/store/point_snapshots.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "async/completion_loop.h"
#include "service/sqlite/connection.h"
#include "tests/store/user_store_fixture.h"
#include "tests/support/eventually.h"

namespace userservice::store {
namespace {

class PointSnapshotsTest : public UserStoreTest {
 protected:
  void TearDown() override {
    loop_.WaitUntilIdle();
    UserStoreTest::TearDown();
  }

  Task<absl::StatusOr<users::v1::User>> GetOnLoop(int64_t user_id, int64_t min_revision = 0) {
    co_await loop_.Schedule();
    CallContext context;
    context.min_revision = min_revision;
    const absl::StatusOr<EncodedUser> user = co_await store().GetUser(context, user_id);
    co_return Decode(user);
  }

  // Reads all the time, each time on a new turn of the loop.
  Task<void> ReadUntil(const std::atomic<bool>& ended, int64_t user_id) {
    co_await loop_.Schedule();
    while (!ended.load()) {
      const absl::StatusOr<EncodedUser> user = co_await store().GetUser(CallContext(), user_id);
      if (user.ok()) ++reads_;
      co_await loop_.Schedule();
    }
  }

  // The leases that are open between two reads of one turn.
  Task<size_t> LeasesBetweenReads() {
    co_await loop_.Schedule();
    const absl::StatusOr<EncodedUser> first = co_await store().GetUser(CallContext(), 1);
    const size_t leases = Leases();
    const absl::StatusOr<EncodedUser> second = co_await store().GetUser(CallContext(), 1);
    EXPECT_TRUE(first.ok() && second.ok());
    co_return leases;
  }

  // Whether a snapshot ends though there is always something to do.
  Task<bool> IsLetGoByBusyLoop() {
    co_await loop_.Schedule();
    const absl::StatusOr<EncodedUser> user = co_await store().GetUser(CallContext(), 1);
    EXPECT_TRUE(user.ok());
    bool let_go = false;
    for (int turn = 0; turn < 10'000 && !let_go; ++turn) {
      co_await loop_.Schedule();
      let_go = Leases() == 0;
    }
    co_return let_go;
  }

  // A batch between two point reads, in one turn.
  Task<bool> ReadsBatchBetweenPoints() {
    co_await loop_.Schedule();
    const absl::StatusOr<EncodedUser> one = co_await store().GetUser(CallContext(), 1);
    const std::vector<int64_t> ids = {1};
    const absl::StatusOr<EncodedUsers> batch = co_await store().BatchGetUsers(CallContext(), ids);
    const absl::StatusOr<EncodedUser> again =
        co_await store().LookupUser(CallContext(), "ann@example.com");
    co_return one.ok() && batch.ok() && again.ok();
  }

  // How many of so many reads, each on a new turn of the loop, find user 1.
  Task<int> ReadTurns(CompletionLoop& loop, int turns) {
    int found = 0;
    for (int i = 0; i < turns; ++i) {
      co_await loop.Schedule();
      const absl::StatusOr<EncodedUser> user = co_await store().GetUser(CallContext(), 1);
      found += user.ok() ? 1 : 0;
    }
    co_return found;
  }

  size_t Leases() { return store().open_resources().leases; }

  CompletionLoop loop_{std::make_unique<grpc::CompletionQueue>(), "test"};
  std::atomic<int64_t> reads_{0};
};

// Readers who keep the loop busy from before a test's writes to after them.
class BusyReaders {
 public:
  explicit BusyReaders(std::vector<Task<void>> readers) {
    for (Task<void>& reader : readers) {
      threads_.emplace_back(
          [task = std::make_shared<Task<void>>(std::move(reader))] { BlockOn(std::move(*task)); });
    }
  }
  ~BusyReaders() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::vector<std::thread> threads_;
};

TEST_F(PointSnapshotsTest, StaysOpenFromOneReadToTheNextAndIsLetGoWhenTheLoopIsIdle) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  EXPECT_EQ(BlockOn(LeasesBetweenReads()), 1u);
  loop_.WaitUntilIdle();
  EXPECT_EQ(Leases(), 0u);
}

TEST_F(PointSnapshotsTest, ALoopThatIsNeverIdleLetsGoToo) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  EXPECT_TRUE(BlockOn(IsLetGoByBusyLoop()));
}

TEST_F(PointSnapshotsTest, AReadShowsEachWriteThatWasAcknowledgedBeforeIt) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com", 0)).ok());
  std::atomic<bool> ended{false};
  std::vector<Task<void>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(ReadUntil(ended, 1));
  const BusyReaders busy(std::move(readers));
  for (int age = 1; age <= 100; ++age) {
    UserUpdate update;
    update.values = MakeUser("", "", age);
    update.values.set_user_id(1);
    update.set_age = true;
    const absl::StatusOr<users::v1::User> updated = Update(update);
    EXPECT_TRUE(updated.ok()) << updated.status();
    const absl::StatusOr<users::v1::User> read = BlockOn(GetOnLoop(1));
    if (!read.ok() || read->age() != age) {
      ADD_FAILURE() << "age " << age << " was acknowledged, " << read->age() << " read";
      break;
    }
    const int64_t revision = store().writer().committed().value();
    const absl::StatusOr<users::v1::User> waited = BlockOn(GetOnLoop(1, revision));
    EXPECT_TRUE(waited.ok() && waited->etag() == updated->etag());
  }
  ended.store(true);
}

TEST_F(PointSnapshotsTest, ABatchBetweenPointReadsFindsAConnection) {
  options_.point_connections = 1;
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  EXPECT_TRUE(BlockOn(ReadsBatchBetweenPoints()));
}

TEST_F(PointSnapshotsTest, MoreLoopsThanConnectionsReadWithoutOne) {
  options_.point_connections = 1;
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  CompletionLoop other(std::make_unique<grpc::CompletionQueue>(), "other");
  constexpr int kTurns = 200;
  int on_other = 0;
  std::thread thread([&] { on_other = BlockOn(ReadTurns(other, kTurns)); });
  EXPECT_EQ(BlockOn(ReadTurns(loop_, kTurns)), kTurns);
  thread.join();
  EXPECT_EQ(on_other, kTurns);
  other.WaitUntilIdle();
}

TEST_F(PointSnapshotsTest, TheWriteOfAnotherProgramIsSeenSoon) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  std::atomic<bool> ended{false};
  std::vector<Task<void>> readers;
  for (int i = 0; i < 2; ++i) readers.push_back(ReadUntil(ended, 1));
  {
    const BusyReaders busy(std::move(readers));
    const sqlite::ConnectionOptions options(database_.path(), sqlite::OpenMode::kReadWrite);
    const auto other = sqlite::Connection::Open(options);
    EXPECT_TRUE(other.ok() && (*other)->Execute("UPDATE users SET name = 'Beth'").ok());
    EXPECT_TRUE(Eventually([&] { return BlockOn(GetOnLoop(1))->name() == "Beth"; }));
    ended.store(true);
  }
}

TEST_F(PointSnapshotsTest, TheLogIsCutAfterADeletionWhilePointsAreReadAllTheTime) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  ASSERT_TRUE(Create(MakeUser("Beth", "beth@example.com")).ok());
  std::atomic<bool> ended{false};
  std::vector<Task<void>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(ReadUntil(ended, 1));
  {
    const BusyReaders busy(std::move(readers));
    EXPECT_TRUE(Eventually([&] { return reads_.load() > 0; }));
    EXPECT_TRUE(Delete(2).ok());
    const std::string log = database_.path() + "-wal";
    EXPECT_TRUE(Eventually([&] { return std::filesystem::file_size(log) == 0; }));
    ended.store(true);
  }
}

}  // namespace
}  // namespace userservice::store
