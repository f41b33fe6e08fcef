#include "client/user_client.h"

#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "async/block_on.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice {
namespace {

namespace v1 = users::v1;
using testing::FakeServer;

class UserClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_->AddUsers(10);
    client_ = UserClient::Connect(server_.address());
  }

  FakeServer server_;
  std::unique_ptr<UserClient> client_;
};

TEST_F(UserClientTest, ReadsOneUser) {
  EXPECT_EQ(BlockOn(client_->GetUser(3))->email(), "user3@example.com");
  v1::LookupUserRequest lookup;
  lookup.set_email("user4@example.com");
  EXPECT_EQ(BlockOn(client_->LookupUser(lookup))->user_id(), 4);
}

TEST_F(UserClientTest, ReadsManyUsers) {
  v1::ListUsersRequest list;
  list.set_page_size(4);
  const auto page = BlockOn(client_->ListUsers(list));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->users_size(), 4);
  EXPECT_EQ(page->next_page_token(), "4");

  v1::BatchGetUsersRequest batch;
  batch.add_user_ids(7);
  batch.add_user_ids(2);
  const auto users = BlockOn(client_->BatchGetUsers(batch));
  ASSERT_TRUE(users.ok()) << users.status();
  ASSERT_EQ(users->users_size(), 2);
  EXPECT_EQ(users->users(0).user_id(), 7);
  EXPECT_EQ(users->users(1).user_id(), 2);

  EXPECT_EQ(BlockOn(client_->CountUsers(v1::CountUsersRequest()))->count(), 10);
}

TEST_F(UserClientTest, WritesOneUser) {
  v1::CreateUserRequest create;
  create.mutable_user()->set_name("Ada");
  create.mutable_user()->set_age(36);
  const auto created = BlockOn(client_->CreateUser(create));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->user_id(), 11);

  v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(11);
  update.mutable_update_mask()->add_paths("age");
  const auto updated = BlockOn(client_->UpdateUser(update));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_FALSE(updated->has_age());
  EXPECT_EQ(updated->name(), "Ada");

  v1::DeleteUserRequest remove;
  remove.set_user_id(11);
  EXPECT_TRUE(BlockOn(client_->DeleteUser(remove)).ok());
  EXPECT_EQ(BlockOn(client_->DeleteUser(remove)).code(), absl::StatusCode::kNotFound);
}

TEST_F(UserClientTest, WritesBatches) {
  v1::BatchCreateUsersRequest create;
  create.add_requests()->mutable_user()->set_name("Ada");
  create.add_requests()->mutable_user()->set_name("Grace");
  const auto created = BlockOn(client_->BatchCreateUsers(create));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->users(1).user_id(), 12);

  v1::BatchUpdateUsersRequest update;
  auto* change = update.add_requests();
  change->mutable_user()->set_user_id(12);
  change->mutable_user()->set_name("Grace Hopper");
  change->mutable_update_mask()->add_paths("name");
  EXPECT_EQ(BlockOn(client_->BatchUpdateUsers(update))->users(0).name(), "Grace Hopper");

  v1::BatchDeleteUsersRequest remove;
  remove.add_requests()->set_user_id(11);
  remove.add_requests()->set_user_id(12);
  EXPECT_TRUE(BlockOn(client_->BatchDeleteUsers(remove)).ok());
  EXPECT_EQ(BlockOn(client_->CountUsers(v1::CountUsersRequest()))->count(), 10);
}

TEST_F(UserClientTest, AsksForHealth) {
  EXPECT_TRUE(*BlockOn(client_->Check()));
  server_.server().GetHealthCheckService()->SetServingStatus("users.v1.UserService", false);
  EXPECT_FALSE(*BlockOn(client_->Check("users.v1.UserService")));
  EXPECT_EQ(BlockOn(client_->Check("nobody.v1.Nothing")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(UserClientTest, SetsADeadlineByDefault) {
  ASSERT_TRUE(BlockOn(client_->GetUser(1)).ok());
  EXPECT_GT(server_->last_deadline(), absl::Seconds(8));
  EXPECT_LE(server_->last_deadline(), absl::Seconds(12)) << "gRPC rounds a timeout up to send it";
  CallOptions options;
  options.deadline = absl::InfiniteDuration();
  ASSERT_TRUE(BlockOn(client_->GetUser(1, options)).ok());
  EXPECT_GT(server_->last_deadline(), absl::Hours(24));
}

TEST_F(UserClientTest, EndsACallAtItsDeadline) {
  server_->Stall();
  CallOptions options;
  options.deadline = absl::Milliseconds(50);
  EXPECT_EQ(BlockOn(client_->GetUser(1, options)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(UserClientTest, AStopCancelsTheCallInFlight) {
  server_->Stall();
  std::stop_source source;
  std::jthread stops([&] {
    server_->WaitForBegun(1);
    source.request_stop();
  });
  EXPECT_EQ(BlockOn(client_->GetUser(1), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  server_->WaitForCancelled(1);
}

TEST_F(UserClientTest, DoesNotBeginACallThatIsStoppedAlready) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(BlockOn(client_->GetUser(1), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(server_->begun(), 0);
}

TEST_F(UserClientTest, SendsTheMetadataOfTheCall) {
  CallOptions options;
  options.metadata.emplace_back("x-tenant", "blue");
  ASSERT_TRUE(BlockOn(client_->GetUser(1, options)).ok());
  EXPECT_EQ(server_->last_metadata("x-tenant"), "blue");
  EXPECT_EQ(server_->last_metadata("x-server-timing"), "");
}

TEST_F(UserClientTest, TellsTheObserverOfTheCallAndOfTheServersTime) {
  std::vector<CallRecord> records;
  CallOptions options;
  options.observer = [&](const CallRecord& record) { records.push_back(record); };
  ASSERT_FALSE(BlockOn(client_->GetUser(99, options)).ok());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].method, "GetUser");
  EXPECT_EQ(records[0].status.code(), absl::StatusCode::kNotFound);
  EXPECT_LT(records[0].start, records[0].end);
  ASSERT_EQ(records[0].server_spans.size(), 3U);
  EXPECT_EQ(records[0].server_spans[1].name, "sql");
  EXPECT_EQ(records[0].server_spans[1].duration, absl::Microseconds(345));
}

TEST_F(UserClientTest, GivesTheDetailsOfAnError) {
  google::rpc::ErrorInfo info;
  info.set_reason("EMAIL_TAKEN");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  server_->AnswerWith(
      grpc::Status(grpc::StatusCode::ALREADY_EXISTS, "taken", details.SerializeAsString()));
  const auto created = BlockOn(client_->CreateUser(v1::CreateUserRequest()));
  EXPECT_EQ(created.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(created.status().message(), "taken");
  EXPECT_EQ(ReasonOf(created.status()), "EMAIL_TAKEN");
}

TEST_F(UserClientTest, WorksOverAChannelMadeElsewhere) {
  const auto channel = grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials());
  const auto client = UserClient::Connect(channel);
  EXPECT_EQ(BlockOn(client->GetUser(1))->user_id(), 1);
}

TEST(UserClientAlone, SaysUnavailableWhenNobodyListens) {
  const auto client = UserClient::Connect("127.0.0.1:1");
  EXPECT_EQ(BlockOn(client->GetUser(1)).status().code(), absl::StatusCode::kUnavailable);
}

Task<absl::StatusOr<v1::User>> GetOverAClientOfOnesOwn(std::string address) {
  const auto client = UserClient::Connect(address);
  co_return co_await client->GetUser(1);
}

TEST(UserClientAlone, MayEndOnItsOwnThread) {
  // After the co_await the coroutine is on the client's thread, and there the client goes out of
  // scope.
  FakeServer server;
  server->AddUsers(1);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(BlockOn(GetOverAClientOfOnesOwn(server.address())).ok());
}

TEST(UserClientAlone, DropsTasksThatWereNeverAwaited) {
  FakeServer server;
  const auto client = UserClient::Connect(server.address());
  {
    const auto unused = client->GetUser(1);
  }
  EXPECT_EQ(server->begun(), 0);
}

}  // namespace
}  // namespace userservice
