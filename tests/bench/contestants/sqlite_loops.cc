// The floor of the storage: the bare statements in a loop, on a database that userd made.
//
//   sqlite_loops LOOP DATABASE SECONDS WARMUP_SECONDS [BATCH]
//
// LOOP is one of
//   select_open    a user by number, 100 to a read transaction
//   page           stepping 100 users by number, in a read transaction of its own
//   scan           stepping all users, again and again
//   insert         durable INSERTs of users with new e-mails, BATCH to a transaction; checkpoints
//                  beside them as userd has them
// Prints one JSON object: how often, in what time, with what processor time.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/contestants/sqlite_floor.h"

namespace userservice::bench {
namespace {

constexpr char kSelect[] =
    "SELECT user_id, name, email, age, created_at, updated_at, revision FROM users "
    "WHERE user_id = ?";
constexpr char kPage[] =
    "SELECT user_id, name, email, age, created_at, updated_at, revision FROM users "
    "WHERE user_id > ? ORDER BY user_id LIMIT 100";
constexpr char kScan[] =
    "SELECT user_id, name, email, age, created_at, updated_at, revision FROM users "
    "ORDER BY user_id";
constexpr char kInsert[] =
    "INSERT INTO users (name, email, age, created_at, updated_at, revision) "
    "VALUES (?, ?, ?, ?, ?, ?)";

// Those of userd's writer and checkpointer.
constexpr int kCheckpointPages = 4000;
constexpr int kWalPagesMax = 16384;
constexpr int kSelectsPerTransaction = 100;

double Seconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Which users the loops ask for: the same ones each time.
class UserIds {
 public:
  explicit UserIds(FloorDatabase& database)
      : ids_(1, database.Number("SELECT max(user_id) FROM users")) {}
  int64_t Next() { return ids_(random_); }

 private:
  std::mt19937_64 random_{1};
  std::uniform_int_distribution<int64_t> ids_;
};

// One turn of a loop; gives how many operations and how many rows it did.
struct Done {
  int64_t operations = 0;
  int64_t rows = 0;
};
using Turn = std::function<Done()>;

std::atomic<int64_t> kept{0};  // what was read, so that reading it is not left out

Turn SelectTurn(FloorDatabase& database) {
  auto select = std::make_shared<FloorStatement>(database, kSelect);
  auto ids = std::make_shared<UserIds>(database);
  return [&database, select, ids] {
    database.Execute("BEGIN");
    for (int i = 0; i < kSelectsPerTransaction; ++i) {
      select->Bind(1, ids->Next());
      if (select->Step()) kept += select->ReadColumns();
      select->Reset();
    }
    database.Execute("COMMIT");
    return Done{kSelectsPerTransaction, kSelectsPerTransaction};
  };
}

// Pages 1 to 100, as the load on the servers asks for them.
Turn PageTurn(FloorDatabase& database) {
  auto page = std::make_shared<FloorStatement>(database, kPage);
  auto random = std::make_shared<std::mt19937_64>(1);
  return [page, random] {
    page->Bind(1, static_cast<int64_t>((*random)() % 100 * 100));
    Done done{1, 0};
    for (; page->Step(); ++done.rows) kept += page->ReadColumns();
    page->Reset();
    return done;
  };
}

Turn ScanTurn(FloorDatabase& database) {
  auto scan = std::make_shared<FloorStatement>(database, kScan);
  return [scan] {
    Done done{1, 0};
    for (; scan->Step(); ++done.rows) kept += scan->ReadColumns();
    scan->Reset();
    return done;
  };
}

// Copies the log back on a thread and a connection of its own, when asked.
class Checkpoints {
 public:
  explicit Checkpoints(const std::string& path) : database_(path), thread_([this] { Run(); }) {}
  ~Checkpoints() {
    Ask(Wanted::kEnd);
    thread_.join();
  }
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  void AfterCommit(int wal_pages) {
    if (wal_pages < checkpointed_at_) checkpointed_at_ = 0;
    if (wal_pages - checkpointed_at_ < kCheckpointPages) return;
    checkpointed_at_ = wal_pages;
    if (wal_pages < kWalPagesMax) return Ask(Wanted::kCheckpoint);
    const std::lock_guard turn(checkpoint_);
    database_.Execute("PRAGMA wal_checkpoint(RESTART)");
  }

 private:
  enum class Wanted { kNothing, kCheckpoint, kEnd };

  void Ask(Wanted wanted) {
    const std::lock_guard lock(mutex_);
    wanted_ = std::max(wanted_, wanted);
    changed_.notify_one();
  }

  void Run() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return wanted_ != Wanted::kNothing; });
        if (std::exchange(wanted_, Wanted::kNothing) == Wanted::kEnd) return;
      }
      const std::lock_guard turn(checkpoint_);
      database_.Execute("PRAGMA wal_checkpoint(PASSIVE)");
    }
  }

  FloorDatabase database_;
  int checkpointed_at_ = 0;
  std::mutex checkpoint_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Wanted wanted_ = Wanted::kNothing;
  std::thread thread_;
};

Turn InsertTurn(FloorDatabase& database, const std::string& path, int batch) {
  auto insert = std::make_shared<FloorStatement>(database, kInsert);
  auto checkpoints = std::make_shared<Checkpoints>(path);
  auto random = std::make_shared<std::mt19937_64>(std::random_device()());
  auto revision = std::make_shared<int64_t>(database.Number("SELECT max(revision) FROM users"));
  return [&database, insert, checkpoints, random, revision, batch] {
    const std::string name = "Bench User";
    const std::string time = "2026-01-01 00:00:00.000000";
    database.Execute("BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i) {
      const std::string email = absl::StrCat(absl::Hex((*random)()), "@bench.example");
      insert->Bind(1, name);
      insert->Bind(2, email);
      insert->Bind(3, i % 101);
      insert->Bind(4, time);
      insert->Bind(5, time);
      insert->Bind(6, ++*revision);
      insert->Step();
      insert->Reset();
    }
    database.Execute("COMMIT");
    checkpoints->AfterCommit(database.wal_pages());
    return Done{1, batch};
  };
}

Turn TurnOf(const std::string& loop, FloorDatabase& database, const std::string& path, int batch) {
  if (loop == "select_open") return SelectTurn(database);
  if (loop == "page") return PageTurn(database);
  if (loop == "scan") return ScanTurn(database);
  if (loop == "insert") return InsertTurn(database, path, batch);
  return nullptr;
}

// As userd's connection for such work may cache.
int CacheKibOf(const std::string& loop) {
  if (loop == "insert") return 32 * 1024;
  return loop == "scan" ? 8 * 1024 : 128 * 1024;
}

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// A turn at least to warm up, and one to measure.
void Measure(const Turn& turn, double seconds, double warmup_seconds) {
  const double warm_until = Seconds(CLOCK_MONOTONIC) + warmup_seconds;
  do turn();
  while (Seconds(CLOCK_MONOTONIC) < warm_until);
  const double begun = Seconds(CLOCK_MONOTONIC);
  const double cpu_begun = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  Done all;
  std::vector<double> turn_seconds;
  double now = begun;
  do {
    const Done done = turn();
    all.operations += done.operations;
    all.rows += done.rows;
    turn_seconds.push_back(Seconds(CLOCK_MONOTONIC) - now);
    now += turn_seconds.back();
  } while (now - begun < seconds);
  const double elapsed = now - begun;
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begun;
  std::cout << absl::StrFormat(
                   R"({"operations": %d, "rows": %d, "elapsed_s": %.6f, "operations_per_s": %.3f, )"
                   R"("rows_per_s": %.3f, "cpu_us_per_operation": %.4f, "cpu_us_per_row": %.4f, )"
                   R"("turn_p50_us": %.3f})",
                   all.operations, all.rows, elapsed, static_cast<double>(all.operations) / elapsed,
                   static_cast<double>(all.rows) / elapsed,
                   cpu * 1e6 / static_cast<double>(all.operations),
                   cpu * 1e6 / static_cast<double>(all.rows), Median(turn_seconds) * 1e6)
            << '\n';
}

int Main(int argc, char** argv) {
  double seconds = 0;
  double warmup_seconds = 0;
  int batch = 1;
  const bool are_numbers = (argc == 5 || argc == 6) && absl::SimpleAtod(argv[3], &seconds) &&
                           absl::SimpleAtod(argv[4], &warmup_seconds) &&
                           (argc == 5 || (absl::SimpleAtoi(argv[5], &batch) && batch > 0));
  if (!are_numbers) {
    std::cerr << "usage: sqlite_loops LOOP DATABASE SECONDS WARMUP_SECONDS [BATCH]\n";
    return 2;
  }
  FloorDatabase database(argv[2], CacheKibOf(argv[1]));
  const Turn turn = TurnOf(argv[1], database, argv[2], batch);
  if (turn == nullptr) {
    std::cerr << "sqlite_loops: there is no loop " << argv[1] << '\n';
    return 2;
  }
  Measure(turn, seconds, warmup_seconds);
  return 0;
}

}  // namespace
}  // namespace userservice::bench

int main(int argc, char** argv) { return userservice::bench::Main(argc, argv); }
