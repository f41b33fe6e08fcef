// SIGTERM: health says NOT_SERVING, new calls are refused, calls in flight finish, streams end with
// a way to go on, and the process exits with 0 within --drain_ms. A second one ends it at once.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <list>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/support/eventually.h"
#include "tests/support/local_app.h"
#include "tests/support/long_scan.h"
#include "tests/support/notification.h"
#include "tests/support/raw_call.h"
#include "tests/support/rpc_error.h"
#include "tests/support/sanitized.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using users::v1::User;

constexpr int64_t kUsers = Scaled(200'000, 100'000);

int PortOf(const UserdProcess& userd) {
  return std::stoi(userd.address().substr(userd.address().rfind(':') + 1));
}

// A count that takes a good part of a second.
class PendingCount {
 public:
  explicit PendingCount(users::v1::UserService::Stub& users) {
    SetDeadline(context_);
    request_.set_filter(LongScanFilter(Scaled(60, 20)));
    users.async()->CountUsers(&context_, &request_, &response_, [this](grpc::Status status) {
      status_ = std::move(status);
      ended_.Notify();
    });
  }
  ~PendingCount() {
    context_.TryCancel();
    ended_.WaitForNotification();
  }
  bool has_ended() const { return ended_.HasBeenNotified(); }
  grpc::Status Wait() {
    ended_.WaitForNotification();
    return status_;
  }

 private:
  grpc::ClientContext context_;
  users::v1::CountUsersRequest request_;
  users::v1::CountUsersResponse response_;
  grpc::Status status_;
  Notification ended_;
};

grpc::Status GetOne(users::v1::UserService::Stub& users) {
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::GetUserRequest request;
  request.set_user_id(1);
  User user;
  return users.GetUser(&context, request, &user);
}

class DrainTest : public testing::Test {
 protected:
  std::vector<std::string> Flags(int drain_ms) const {
    return {"--database=" + directory_.File("users.db"), absl::StrCat("--generate_users=", kUsers),
            absl::StrCat("--drain_ms=", drain_ms)};
  }

  // Reads an export to its end; what it gave, each user's number once and in order.
  static grpc::Status ReadOn(grpc::ClientReader<users::v1::ExportUsersResponse>& reader,
                             int64_t* last_user_id, std::string* resume_token) {
    for (users::v1::ExportUsersResponse chunk; reader.Read(&chunk);) {
      for (const User& user : chunk.users()) EXPECT_EQ(user.user_id(), ++*last_user_id);
      *resume_token = chunk.resume_token();
    }
    return reader.Finish();
  }

  const TemporaryDirectory directory_;
};

TEST_F(DrainTest, CallsFinishStreamsEndResumablyAndTheExitIsClean) {
  int64_t last_user_id = 0;
  std::string resume_token;
  {
    UserdProcess userd(Flags(/*drain_ms=*/60'000));
    ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
    const auto channel = OwnConnection(userd.address());
    const auto users = users::v1::UserService::NewStub(channel);
    grpc::ClientContext watch_context;
    SetDeadline(watch_context);
    const auto watch = Health::NewStub(channel)->Watch(&watch_context, HealthCheckRequest());
    HealthCheckResponse health;
    ASSERT_TRUE(watch->Read(&health));

    grpc::ClientContext export_context;
    SetDeadline(export_context);
    const auto reader = users->ExportUsers(&export_context, users::v1::ExportUsersRequest());
    users::v1::ExportUsersResponse chunk;
    ASSERT_TRUE(reader->Read(&chunk));
    last_user_id = chunk.users_size();
    resume_token = chunk.resume_token();
    std::list<PendingCount> counts;
    for (int i = 0; i < 4; ++i) counts.emplace_back(*users);
    // Behind the counts on their connection. Two calls of a method are accepted at once, and put
    // the next two behind the first read; the second read is behind those.
    for (int i = 0; i < 2; ++i) ASSERT_EQ(Outcome(GetOne(*users)), "OK");
    ASSERT_FALSE(counts.back().has_ended()) << "too short to be met by the signal";

    const absl::Time terminated = absl::Now();
    userd.Signal(SIGTERM);
    EXPECT_TRUE(watch->Read(&health));
    EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
    EXPECT_FALSE(watch->Read(&health));
    EXPECT_EQ(Outcome(watch->Finish()), "UNAVAILABLE SHUTTING_DOWN");
    const grpc::Status late = GetOne(*users);
    EXPECT_EQ(late.error_code(), grpc::StatusCode::UNAVAILABLE) << late.error_message();

    const grpc::Status exported = ReadOn(*reader, &last_user_id, &resume_token);
    EXPECT_EQ(Outcome(exported), "UNAVAILABLE SHUTTING_DOWN") << exported.error_message();
    EXPECT_LT(last_user_id, kUsers);
    for (PendingCount& count : counts) {
      const grpc::Status status = count.Wait();
      EXPECT_EQ(Outcome(status), "OK") << status.error_message();
    }
    EXPECT_EQ(userd.WaitForExit(), 0) << userd.errors();
    EXPECT_LT(absl::Now() - terminated, absl::Seconds(60));
    EXPECT_FALSE(absl::StrContains(userd.errors(), "please report this")) << userd.errors();
  }
  UserdProcess next(Flags(/*drain_ms=*/10'000));
  ASSERT_TRUE(next.WaitUntilServing()) << next.errors();
  const auto users = users::v1::UserService::NewStub(OwnConnection(next.address()));
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::ExportUsersRequest request;
  request.set_resume_token(resume_token);
  const auto reader = users->ExportUsers(&context, request);
  EXPECT_EQ(Outcome(ReadOn(*reader, &last_user_id, &resume_token)), "OK");
  EXPECT_EQ(last_user_id, kUsers);
}

TEST_F(DrainTest, WhatOutlastsTheDrainIsCancelled) {
  UserdProcess userd(Flags(/*drain_ms=*/100));
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  const auto users = users::v1::UserService::NewStub(OwnConnection(userd.address()));
  RawCall stalled(PortOf(userd), "/users.v1.UserService/ExportUsers", "");
  ASSERT_TRUE(stalled.WaitForBytes(100));
  std::list<PendingCount> counts;
  for (int i = 0; i < 12; ++i) counts.emplace_back(*users);
  ASSERT_EQ(Outcome(GetOne(*users)), "OK");  // behind the counts on their connection
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(absl::Seconds(10)), 0) << userd.errors();
  EXPECT_FALSE(counts.back().Wait().ok());
}

TEST_F(DrainTest, ASecondSignalEndsItAtOnce) {
  for (const int second : {SIGTERM, SIGINT}) {
    UserdProcess userd(Flags(/*drain_ms=*/120'000));
    ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
    RawCall stalled(PortOf(userd), "/users.v1.UserService/ExportUsers", "");
    ASSERT_TRUE(stalled.WaitForBytes(100));
    userd.Signal(SIGTERM);
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(userd.errors(), "draining"); }));
    EXPECT_EQ(userd.WaitForExit(absl::Milliseconds(300)), std::nullopt)
        << "it did not wait for the stream";
    userd.Signal(second);
    EXPECT_EQ(userd.WaitForExit(absl::Seconds(10)), 128 + second) << userd.errors();
  }
}

TEST_F(DrainTest, UnderLoadNoAcknowledgedUserIsLostAndNoCallIsLeftWithoutAnAnswer) {
  constexpr int kClients = 8;
  std::vector<std::set<std::string>> created(kClients);
  {
    UserdProcess userd(Flags(/*drain_ms=*/60'000));
    ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
    std::atomic<int> acknowledged = 0;
    std::vector<std::thread> clients;
    for (size_t client = 0; client < kClients; ++client) {
      clients.emplace_back([&, client] {
        const auto users = users::v1::UserService::NewStub(OwnConnection(userd.address()));
        for (int number = 0;; ++number) {
          users::v1::CreateUserRequest request;
          request.mutable_user()->set_name("Ann");
          request.mutable_user()->set_email(absl::StrCat("c", client, "-", number, "@example.org"));
          grpc::ClientContext context;
          SetDeadline(context);
          User user;
          const grpc::Status status = users->CreateUser(&context, request, &user);
          if (!status.ok()) {
            // gRPC 1.51 itself cancels a call that reaches it between its GOAWAY and the client's
            // seeing that.
            EXPECT_TRUE(Outcome(status) == "UNAVAILABLE SHUTTING_DOWN" ||
                        Outcome(status) == "UNAVAILABLE" || Outcome(status) == "CANCELLED")
                << Outcome(status) << " " << status.error_message();
            return;
          }
          created[client].insert(user.email());
          acknowledged.fetch_add(1);
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return acknowledged > 200; }));
    userd.Signal(SIGTERM);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(userd.WaitForExit(), 0) << userd.errors();
  }
  UserdProcess next(Flags(/*drain_ms=*/10'000));
  ASSERT_TRUE(next.WaitUntilServing()) << next.errors();
  const auto users = users::v1::UserService::NewStub(OwnConnection(next.address()));
  users::v1::CountUsersRequest request;
  request.set_filter("email = \"*@example.org\"");
  users::v1::CountUsersResponse response;
  grpc::ClientContext context;
  SetDeadline(context);
  EXPECT_EQ(Outcome(users->CountUsers(&context, request, &response)), "OK");
  size_t acknowledged = 0;
  for (const std::set<std::string>& each : created) acknowledged += each.size();
  // What was refused was not written, and what was written was answered.
  EXPECT_EQ(static_cast<size_t>(response.count()), acknowledged);
}

}  // namespace
}  // namespace userservice
