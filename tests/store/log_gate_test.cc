#include "service/store/log_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/store/user_store_fixture.h"
#include "tests/support/sanitized.h"

namespace userservice::store {
namespace {

TEST(LogGate, AScanWaitsForTheEndOfAPause) {
  LogGate gate;
  std::atomic<bool> entered{false};
  std::optional<LogGate::Pause> pause(std::in_place, gate, absl::ZeroDuration());
  std::thread scan([&] {
    const LogGate::Scan entry(&gate);
    entered = true;
  });
  EXPECT_FALSE(entered);
  pause.reset();
  scan.join();
  EXPECT_TRUE(entered);
}

TEST(LogGate, APauseWaitsForTheScansThatRun) {
  LogGate gate;
  std::optional<LogGate::Scan> scan(std::in_place, &gate);
  std::atomic<bool> paused{false};
  std::thread pausing([&] {
    const LogGate::Pause pause(gate, absl::InfiniteDuration());
    paused = true;
  });
  EXPECT_FALSE(paused);
  scan.reset();
  pausing.join();
  EXPECT_TRUE(paused);
}

TEST(LogGate, APauseWaitsNoLongerThanItMay) {
  LogGate gate;
  const LogGate::Scan scan(&gate);
  const LogGate::Pause pause(gate, absl::Milliseconds(1));
}

class ScansAndLogTest : public UserStoreTest {
 protected:
  static DatabaseOptions ManyUsers() {
    DatabaseOptions options;
    // A scan is to take less than a pause waits for, also on a busy machine.
    options.generate_users = Scaled(2'000, 1'000);
    return options;
  }
  TempDatabase many_{ManyUsers()};
};

TEST_F(ScansAndLogTest, ScansThatOverlapAllTheTimeLeaveTheLogBounded) {
  constexpr int64_t kPageBytes = 4096 + 24;
  constexpr int kWrites = 200;
  options_.path = many_.path();
  options_.scan_threads = 2;
  options_.writer.checkpoint_pages = 16;
  options_.writer.wal_pages_max = 64;
  store();
  std::atomic<bool> end{false};
  std::atomic<int> scans{0};
  std::vector<std::thread> scanners;
  for (int i = 0; i < 3; ++i) {
    scanners.emplace_back([&] {
      const PageQuery query = Query("", "create_time desc, name", 10);
      while (!end) {
        EXPECT_TRUE(BlockOn(store().ListUsers(CallContext(), query)).ok());
        ++scans;
      }
    });
  }
  while (scans < 3) std::this_thread::yield();
  uintmax_t largest = 0;
  for (int i = 0; i < kWrites; ++i) {
    EXPECT_TRUE(Create(MakeUser("n", absl::StrCat("new", i, "@x.org"))).ok());
    largest = std::max(largest, std::filesystem::file_size(options_.path + "-wal"));
  }
  end = true;
  for (std::thread& scanner : scanners) scanner.join();
  EXPECT_LT(largest, 3 * options_.writer.wal_pages_max * kPageBytes);
  EXPECT_GT(store().writer().stats().log_restarts, 0);
}

}  // namespace
}  // namespace userservice::store
