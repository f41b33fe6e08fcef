// An export whose client stops reading for ten seconds holds no read transaction and little memory,
// and delays nobody. Then it reads on, and gets every user.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/store/database.h"
#include "tests/support/local_app.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using users::v1::User;

constexpr int64_t kUsers = Scaled(100'000, 30'000);
constexpr absl::Duration kPause = absl::Seconds(Scaled(10, 3));
constexpr size_t kMemoryBytesMax = size_t{8} << 20;

void Execute(sqlite3* db, const std::string& sql) {
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
}

// Generated users with names as long as they may be, 300 bytes each: an export of 30 MB.
void MakeWideUsers(const std::string& path) {
  store::DatabaseOptions options;
  options.generate_users = kUsers;
  const absl::StatusOr<store::DatabaseInfo> made = store::PrepareDatabase(path, options);
  ASSERT_TRUE(made.ok()) << made.status();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  Execute(db, "PRAGMA synchronous = OFF");
  Execute(db, "UPDATE users SET name = replace(hex(zeroblob(50)), '0', char(8364))");
  Execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite3_close(db);
}

absl::Duration GetOne(users::v1::UserService::Stub& users, int64_t user_id) {
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::GetUserRequest request;
  request.set_user_id(user_id);
  User user;
  const absl::Time begun = absl::Now();
  EXPECT_EQ(Outcome(users.GetUser(&context, request, &user)), "OK");
  return absl::Now() - begun;
}

// Reads users one after another for so long; the sorted latencies.
std::vector<absl::Duration> GetManyFor(const std::string& address, absl::Duration duration) {
  const auto users = users::v1::UserService::NewStub(OwnConnection(address));
  std::vector<absl::Duration> latencies;
  const absl::Time end = absl::Now() + duration;
  for (int64_t number = 0; absl::Now() < end; ++number) {
    latencies.push_back(GetOne(*users, number * 37 % kUsers + 1));
  }
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

void CountWithFilter(users::v1::UserService::Stub& users) {
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::CountUsersRequest request;
  request.set_filter("age > 25 AND user_id < 20000");
  users::v1::CountUsersResponse response;
  ASSERT_EQ(Outcome(users.CountUsers(&context, request, &response)), "OK");
}

void Rename(users::v1::UserService::Stub& users, int64_t user_id) {
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::UpdateUserRequest request;
  request.mutable_user()->set_user_id(user_id);
  request.mutable_user()->set_name(absl::FormatTime(absl::Now()));
  User user;
  EXPECT_EQ(Outcome(users.UpdateUser(&context, request, &user)), "OK");
}

// Copies the whole log back and truncates it, which no reader of an older state may keep from
// happening.
void ExpectTruncatingCheckpoint(const std::string& path) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  sqlite3_busy_timeout(db, 2000);
  std::string row;  // busy, frames in the log, frames copied
  const auto keep = [](void* kept, int count, char** columns, char**) {
    for (int i = 0; i < count; ++i)
      absl::StrAppend(static_cast<std::string*>(kept), columns[i], " ");
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", keep, &row, nullptr), SQLITE_OK);
  EXPECT_EQ(row, "0 0 0 ");
  sqlite3_close(db);
}

TEST(SlowReaderTest, HoldsNothingAndDelaysNobodyAndGetsEveryUser) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("users.db");
  MakeWideUsers(path);
  UserdProcess userd({"--database=" + path});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  const std::vector<absl::Duration> alone = GetManyFor(userd.address(), absl::Seconds(2));
  const auto users = users::v1::UserService::NewStub(OwnConnection(userd.address()));
  // SQLite's page caches fill up with any use, 8 MiB a connection and more: not the export's doing.
  for (int64_t number = 0; number < 200; ++number) {
    Rename(*users, kUsers - number % 100);
    CountWithFilter(*users);
  }
  const size_t memory_before = userd.memory_bytes();

  const auto exporter = users::v1::UserService::NewStub(OwnConnection(userd.address()));
  grpc::ClientContext context;
  SetDeadline(context, absl::Seconds(240));
  const auto reader = exporter->ExportUsers(&context, users::v1::ExportUsersRequest());
  int64_t expected = 0;
  users::v1::ExportUsersResponse chunk;
  const auto take = [&] {
    for (const User& user : chunk.users()) EXPECT_EQ(user.user_id(), ++expected);
  };
  ASSERT_TRUE(reader->Read(&chunk));
  take();

  std::vector<absl::Duration> beside;
  std::thread other([&] { beside = GetManyFor(userd.address(), kPause); });
  size_t memory_most = 0;
  const absl::Time end = absl::Now() + kPause;
  for (int64_t number = 0; absl::Now() < end; ++number) {
    Rename(*users, kUsers - number % 100);
    memory_most = std::max(memory_most, userd.memory_bytes());
    if (number % 200 == 0) ExpectTruncatingCheckpoint(path);
  }
  other.join();
  const size_t memory_grown = memory_most - std::min(memory_most, memory_before);

  while (reader->Read(&chunk)) take();
  EXPECT_EQ(Outcome(reader->Finish()), "OK");
  EXPECT_EQ(expected, kUsers);

  const auto median = [](const std::vector<absl::Duration>& sorted) {
    return sorted[sorted.size() / 2];
  };
  std::printf("memory %zu KiB more; GetUser alone p50 %s, beside it p50 %s, p99 %s, most %s\n",
              memory_grown / 1024, absl::FormatDuration(median(alone)).c_str(),
              absl::FormatDuration(median(beside)).c_str(),
              absl::FormatDuration(beside[beside.size() * 99 / 100]).c_str(),
              absl::FormatDuration(beside.back()).c_str());
  if (!kSanitized) {  // whose shadow memory is counted, too
    EXPECT_LE(memory_grown, kMemoryBytesMax);
  }
  EXPECT_LE(median(beside), 4 * median(alone) + absl::Milliseconds(1));
  EXPECT_LE(beside.back(), absl::Seconds(2));
}

}  // namespace
}  // namespace userservice
