// Over a limit a call is refused at once, with what the client needs to come back later.
#include <gmock/gmock.h>

#include <atomic>
#include <list>

#include "async/broadcast.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/local_app.h"
#include "tests/support/local_server.h"
#include "tests/support/notification.h"
#include "tests/support/rpc_error.h"

namespace userservice {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using users::v1::User;

// A store whose GetUser and ListUsers wait until they are let.
class GatedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Task<absl::StatusOr<store::EncodedUser>> GetUser(store::CallContext context,
                                                   int64_t user_id) override {
    co_await WaitAtGate();
    co_return co_await ForwardingStore::GetUser(context, user_id);
  }
  Task<absl::StatusOr<store::UserPage>> ListUsers(store::CallContext context,
                                                  const store::PageQuery& query) override {
    co_await WaitAtGate();
    co_return co_await ForwardingStore::ListUsers(context, query);
  }

  int waiting() const { return waiting_.load(); }
  void Open() { gate_.Publish(1); }

 private:
  Task<void> WaitAtGate() {
    waiting_.fetch_add(1);
    (void)co_await gate_.WaitFor(1);
    waiting_.fetch_sub(1);
  }

  std::atomic<int> waiting_ = 0;
  Broadcast gate_;
};

// A GetUser that is under way.
class PendingGet {
 public:
  explicit PendingGet(users::v1::UserService::Stub& users) {
    SetDeadline(context_);
    request_.set_user_id(1);
    users.async()->GetUser(&context_, &request_, &user_, [this](grpc::Status status) {
      status_ = std::move(status);
      ended_.Notify();
    });
  }
  grpc::Status Wait() {
    ended_.WaitForNotification();
    return status_;
  }

 private:
  grpc::ClientContext context_;
  users::v1::GetUserRequest request_;
  User user_;
  grpc::Status status_;
  Notification ended_;
};

TEST(AdmissionTest, ACallOverTheLimitIsRefusedAtOnceWithAPushback) {
  constexpr int kLimit = 4;
  rpc::ServerOptions options;
  options.calls_max = kLimit;
  store::DatabaseOptions database;
  database.sample_users = true;
  LocalServer<GatedStore> server(options, database);
  const auto channel = OwnConnection(server.address());
  const auto users = users::v1::UserService::NewStub(channel);
  std::list<PendingGet> within;
  for (int i = 0; i < kLimit; ++i) within.emplace_back(*users);
  ASSERT_TRUE(Eventually([&] { return server.store().waiting() == kLimit; }));

  // More of them than there are armed calls, and each is answered.
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    SetDeadline(context);
    users::v1::CountUsersResponse response;
    const grpc::Status status =
        users->CountUsers(&context, users::v1::CountUsersRequest(), &response);
    ASSERT_EQ(Outcome(status), "UNAVAILABLE OVERLOADED");
    const auto retry = DetailOf<google::rpc::RetryInfo>(status);
    ASSERT_TRUE(retry.has_value());
    const auto pushback = context.GetServerTrailingMetadata().find("grpc-retry-pushback-ms");
    ASSERT_NE(pushback, context.GetServerTrailingMetadata().end());
    const int pushback_ms =
        std::stoi(std::string(pushback->second.data(), pushback->second.size()));
    EXPECT_GT(pushback_ms, 0);
    EXPECT_EQ(retry->retry_delay().nanos() / 1'000'000 + retry->retry_delay().seconds() * 1000,
              pushback_ms);
    EXPECT_EQ(InfoOf(status).metadata().at("retry_after_ms"), std::to_string(pushback_ms));
  }

  // A busy server is healthy still: who restarts it makes things worse.
  grpc::ClientContext context;
  SetDeadline(context);
  HealthCheckResponse health;
  EXPECT_EQ(Outcome(Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &health)),
            "OK");

  server.store().Open();
  for (PendingGet& get : within) EXPECT_EQ(Outcome(get.Wait()), "OK");
  EXPECT_TRUE(server.IsIdle());
  EXPECT_EQ(Outcome(PendingGet(*users).Wait()), "OK");
}

TEST(AdmissionTest, AStreamOverTheLimitIsRefusedAtOnce) {
  constexpr int kLimit = 3;
  rpc::ServerOptions options;
  options.streams_max = kLimit;
  LocalServer<GatedStore> server(options);
  const auto channel = OwnConnection(server.address());
  const auto users = users::v1::UserService::NewStub(channel);
  using Reader = grpc::ClientReader<users::v1::ExportUsersResponse>;
  const auto finish = [](Reader& reader) {
    for (users::v1::ExportUsersResponse chunk; reader.Read(&chunk);) {
    }
    return reader.Finish();
  };
  std::list<grpc::ClientContext> contexts;
  const auto begin_export = [&] {
    SetDeadline(contexts.emplace_back());
    return users->ExportUsers(&contexts.back(), users::v1::ExportUsersRequest());
  };
  std::list<std::unique_ptr<Reader>> within;
  for (int i = 0; i < kLimit; ++i) within.push_back(begin_export());
  ASSERT_TRUE(Eventually([&] { return server.store().waiting() == kLimit; }));

  for (int i = 0; i < 50; ++i) {
    const grpc::Status status = finish(*begin_export());
    ASSERT_EQ(Outcome(status), "RESOURCE_EXHAUSTED TOO_MANY_STREAMS");
    EXPECT_EQ(InfoOf(status).metadata().at("limit"), std::to_string(kLimit));
  }
  // Unary calls and health watches have limits of their own.
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::CountUsersResponse count;
  EXPECT_EQ(Outcome(users->CountUsers(&context, users::v1::CountUsersRequest(), &count)), "OK");
  grpc::ClientContext watch_context;
  SetDeadline(watch_context);
  const auto watch = Health::NewStub(channel)->Watch(&watch_context, HealthCheckRequest());
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::SERVING);
  watch_context.TryCancel();
  (void)watch->Finish();

  server.store().Open();
  for (const auto& reader : within) EXPECT_EQ(Outcome(finish(*reader)), "OK");
  EXPECT_TRUE(server.IsIdle());
  EXPECT_EQ(Outcome(finish(*begin_export())), "OK");
}

TEST(AdmissionTest, ACallWhoseClientGivesUpWhileItWaitsEndsAtOnce) {
  LocalServer<GatedStore> server{rpc::ServerOptions()};
  const auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
  grpc::ClientContext context;
  SetDeadline(context, absl::Milliseconds(100));
  User user;
  const grpc::Status status = users->GetUser(&context, users::v1::GetUserRequest(), &user);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server.IsIdle());
  EXPECT_EQ(server.store().waiting(), 0);
}

}  // namespace
}  // namespace userservice
