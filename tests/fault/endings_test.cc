// After calls that end in every way there is, nothing of them is left: no lease, no statement, no
// write, no watch, no call, no file descriptor, no thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/local_app.h"
#include "tests/support/local_server.h"
#include "tests/support/long_scan.h"
#include "tests/support/notification.h"
#include "tests/support/raw_call.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"

namespace userservice {
namespace {

using users::v1::User;

constexpr int64_t kUsers = 20'000;
constexpr int kThreads = 8;

// Whom to ask for to make a handler throw, at once or after it was suspended.
constexpr int64_t kThrowsAtOnce = -1;
constexpr int64_t kThrowsLater = -2;
constexpr int64_t kThrowsNoException = -3;

class ThrowingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Task<absl::StatusOr<store::EncodedUser>> GetUser(store::CallContext context,
                                                   int64_t user_id) override {
    if (user_id == kThrowsAtOnce) throw std::runtime_error("at once");
    if (user_id == kThrowsNoException) throw 42;
    if (user_id == kThrowsLater) return ThrowAfterReading(context);
    return ForwardingStore::GetUser(context, user_id);
  }

 private:
  Task<absl::StatusOr<store::EncodedUser>> ThrowAfterReading(store::CallContext context) {
    const store::Filter all;
    const absl::StatusOr<store::UserCount> count = co_await CountUsers(context, all);
    throw std::runtime_error(absl::StrCat("later, of ", count.ok() ? count->count : 0));
  }
};

class Caller {
 public:
  Caller(int port, int seed)
      : port_(port),
        random_(static_cast<unsigned>(seed)),
        users_(users::v1::UserService::NewStub(OwnConnection(absl::StrCat("127.0.0.1:", port)))) {}

  // One call that ends in one of the ways, and how it ended.
  std::string CallOnce() {
    switch (random_() % 24) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return "read " + Get(1);
      case 5:
      case 6:
      case 7:
        return "create " + CreateTaken();
      case 8:
      case 9:
      case 10:
        return "cancelled " + CancelledScan();
      case 11:
      case 12:
      case 13:
        return "late " + LateScan();
      case 14:
      case 15:
      case 16:
        return "throwing " + Get(-1 - static_cast<int64_t>(random_() % 3));
      case 17:
        return "whole export " + Export(/*cancel=*/false);
      case 18:
        return "cancelled export " + Export(/*cancel=*/true);
      case 19:
        return "vanished " + Vanish("/users.v1.UserService/ExportUsers", "");
      case 20:
        return "cancelled watch " + Watch("", absl::Seconds(60));
      case 21:
        return "cancelled watch " + Watch("age > 30", absl::Seconds(60));
      case 22:
        return "late watch " + Watch("", absl::Milliseconds(1 + random_() % 40)).substr(0, 17);
      default:  // after_revision: 0
        return "vanished watch " + Vanish("/users.v1.UserService/WatchUsers", {"\x08\x00", 2});
    }
  }

 private:
  std::string Get(int64_t user_id) {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::GetUserRequest request;
    request.set_user_id(user_id);
    User user;
    return Outcome(users_->GetUser(&context, request, &user));
  }

  std::string CreateTaken() {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::CreateUserRequest request;
    request.mutable_user()->set_name("Taken");
    request.mutable_user()->set_email("USER1@example.com");
    User user;
    return Outcome(users_->CreateUser(&context, request, &user));
  }

  std::string CancelledScan() {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::CountUsersRequest request;
    request.set_filter(LongScanFilter());
    users::v1::CountUsersResponse response;
    grpc::Status status;
    Notification ended;
    const auto end = [&](grpc::Status ended_with) {
      status = std::move(ended_with);
      ended.Notify();
    };
    users_->async()->CountUsers(&context, &request, &response, end);
    // Cancelled at any moment: before it reaches the server, while it queues, while its statement
    // runs.
    ended.WaitForNotificationWithTimeout(absl::Microseconds(random_() % 3000));
    context.TryCancel();
    ended.WaitForNotification();
    return Outcome(status);
  }

  std::string LateScan() {
    grpc::ClientContext context;
    SetDeadline(context, absl::Microseconds(500 + random_() % 3000));
    users::v1::CountUsersRequest request;
    request.set_filter(LongScanFilter());
    users::v1::CountUsersResponse response;
    return Outcome(users_->CountUsers(&context, request, &response)).substr(0, 17);
  }

  std::string Export(bool cancel) {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::ExportUsersRequest request;
    if (!cancel) request.set_filter("user_id > 18000");
    const auto reader = users_->ExportUsers(&context, request);
    int64_t users = 0;
    for (users::v1::ExportUsersResponse chunk; reader->Read(&chunk);) {
      users += chunk.users_size();
      if (cancel) context.TryCancel();
    }
    const std::string outcome = Outcome(reader->Finish());
    return cancel || users == kUsers - 18'000 ? outcome : absl::StrCat("incomplete, ", outcome);
  }

  // Reads a while, or until the deadline: then the end comes by itself.
  std::string Watch(const std::string& filter, absl::Duration timeout) {
    grpc::ClientContext context;
    SetDeadline(context, timeout);
    users::v1::WatchUsersRequest request;
    request.set_after_revision(static_cast<int64_t>(random_() % kUsers));
    request.set_filter(filter);
    const auto reader = users_->WatchUsers(&context, request);
    int left = static_cast<int>(random_() % 20);
    for (users::v1::WatchUsersResponse message; reader->Read(&message);) {
      if (timeout >= absl::Seconds(60) && (--left <= 0 || message.synced())) context.TryCancel();
    }
    return Outcome(reader->Finish());
  }

  std::string Vanish(const std::string& path, const std::string& request) {
    RawCall call(port_, path, request);
    const bool begun = call.WaitForBytes(1000 + random_() % 60'000);
    call.Vanish();
    return begun ? "in its midst" : "too late";
  }

  const int port_;
  std::minstd_rand random_;
  const std::unique_ptr<users::v1::UserService::Stub> users_;
};

// Makes `calls` from several clients that are gone when it returns. How many ended in which way.
std::map<std::string, int> MakeCalls(int port, int calls, int seed) {
  std::array<std::map<std::string, int>, kThreads> endings;
  std::atomic<int> left = calls;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Caller caller(port, seed + i);
      while (left.fetch_sub(1) > 0) ++endings[static_cast<size_t>(i)][caller.CallOnce()];
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<std::string, int> sum;
  for (const auto& each : endings) {
    for (const auto& [ending, times] : each) sum[ending] += times;
  }
  return sum;
}

size_t OpenFiles() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

// The threads of this process by name, without gRPC's pools, which grow with the load to a few
// threads a core and then stay.
std::map<std::string, int> Threads() {
  std::map<std::string, int> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const auto is_prefix = [&](const char* prefix) { return name.starts_with(prefix); };
    constexpr std::array kPools = {"default-exec", "resolver-exec", "grpc_global",
                                   "event_engine", "timer_manager", "nexting_thread"};
    if (!name.empty() && std::none_of(kPools.begin(), kPools.end(), is_prefix)) ++threads[name];
  }
  return threads;
}

TEST(EndingsTest, TenThousandCallsLeaveNothingBehind) {
  store::DatabaseOptions database;
  database.generate_users = kUsers;
  LocalServer<ThrowingStore> server(rpc::ServerOptions(), database);
  // gRPC's own threads and files, the client's side included, come with the first calls.
  MakeCalls(server.port(), 400, /*seed=*/1000);
  ASSERT_TRUE(server.IsIdle());
  // Sockets of clients that are gone close a little later: the fewest within a second.
  size_t files = OpenFiles();
  const auto note_fewest = [&] {
    files = std::min(files, OpenFiles());
    return false;
  };
  (void)Eventually(note_fewest, absl::Seconds(1));
  const std::map<std::string, int> threads = Threads();

  const std::map<std::string, int> endings =
      MakeCalls(server.port(), Scaled(10'000, 1'000), /*seed=*/1);
  for (const auto& [ending, times] : endings) std::printf("%6d %s\n", times, ending.c_str());

  EXPECT_TRUE(server.IsIdle()) << server.server().live_calls() << " calls are alive";
  EXPECT_TRUE(Eventually([&] { return OpenFiles() <= files; }))
      << OpenFiles() << " files, " << files << " before";
  EXPECT_TRUE(Eventually([&] { return Threads() == threads; }));
  EXPECT_EQ(Threads(), threads);

  // Each way was gone, and ended as it should.
  for (const char* const expected :
       {"read OK", "create ALREADY_EXISTS EMAIL_TAKEN", "cancelled CANCELLED",
        "late DEADLINE_EXCEEDED", "throwing INTERNAL INTERNAL", "whole export OK",
        "cancelled export CANCELLED", "vanished in its midst", "cancelled watch CANCELLED",
        "late watch DEADLINE_EXCEEDED", "vanished watch in its midst"}) {
    EXPECT_TRUE(endings.contains(expected)) << expected;
  }
  for (const auto& [ending, times] : endings) {
    const bool is_read = ending.starts_with("read ") && ending != "read OK";
    const bool is_create =
        ending.starts_with("create ") && ending != "create ALREADY_EXISTS EMAIL_TAKEN";
    const bool is_throw = ending.starts_with("throwing ") && ending != "throwing INTERNAL INTERNAL";
    const bool is_export = ending.starts_with("whole export ") && ending != "whole export OK";
    EXPECT_FALSE(is_read || is_create || is_throw || is_export)
        << ending << ", " << times << " times";
  }
}

TEST(EndingsTest, AHandlerThatThrowsCostsOneInternalAndNothingElse) {
  LocalServer<ThrowingStore> server(rpc::ServerOptions(), [] {
    store::DatabaseOptions database;
    database.sample_users = true;
    return database;
  }());
  const auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
  for (const int64_t user_id : {kThrowsAtOnce, kThrowsLater, kThrowsNoException}) {
    for (const int64_t asked_for : {user_id, int64_t{1}}) {
      grpc::ClientContext context;
      SetDeadline(context);
      users::v1::GetUserRequest request;
      request.set_user_id(asked_for);
      User user;
      const grpc::Status status = users->GetUser(&context, request, &user);
      EXPECT_EQ(Outcome(status), asked_for == 1 ? "OK" : "INTERNAL INTERNAL") << asked_for;
      if (asked_for != 1) {
        EXPECT_EQ(status.error_message(), "internal error");
        EXPECT_EQ(status.error_details().find("later"), std::string::npos);
      }
    }
  }
  EXPECT_TRUE(server.IsIdle());
}

}  // namespace
}  // namespace userservice
