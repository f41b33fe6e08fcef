// What is repeated on UNAVAILABLE, and what is not. The fake counts attempts.
#include <regex>

#include "async/block_on.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice {
namespace {

namespace v1 = users::v1;
using testing::FakeServer;

constexpr auto kUnavailable = grpc::StatusCode::UNAVAILABLE;

class Retry : public ::testing::Test {
 protected:
  void SetUp() override {
    server_->AddUsers(3);
    client_ = UserClient::Connect(server_.address());
  }

  FakeServer server_;
  std::unique_ptr<UserClient> client_;
};

TEST_F(Retry, RepeatsReadsUntilTheyAreAnswered) {
  server_->FailNext(3, kUnavailable);
  const auto user = BlockOn(client_->GetUser(1));
  ASSERT_TRUE(user.ok()) << user.status();
  EXPECT_EQ(user->user_id(), 1);
  EXPECT_EQ(server_->begun(), 4);
}

TEST_F(Retry, CoversEveryRead) {
  v1::LookupUserRequest lookup;
  lookup.set_email("user2@example.com");
  v1::BatchGetUsersRequest batch;
  batch.add_user_ids(1);
  server_->FailNext(1, kUnavailable);
  EXPECT_TRUE(BlockOn(client_->LookupUser(lookup)).ok());
  server_->FailNext(1, kUnavailable);
  EXPECT_TRUE(BlockOn(client_->ListUsers(v1::ListUsersRequest())).ok());
  server_->FailNext(1, kUnavailable);
  EXPECT_TRUE(BlockOn(client_->BatchGetUsers(batch)).ok());
  server_->FailNext(1, kUnavailable);
  EXPECT_TRUE(BlockOn(client_->CountUsers(v1::CountUsersRequest())).ok());
  EXPECT_EQ(server_->begun(), 8);
}

TEST_F(Retry, GivesUpAfterTheLastAttempt) {
  server_->FailNext(100, kUnavailable);
  EXPECT_EQ(BlockOn(client_->GetUser(1)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server_->begun(), ClientOptions().attempts_max);
}

TEST_F(Retry, IsOnlyForUnavailable) {
  server_->FailNext(1, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(BlockOn(client_->GetUser(1)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(server_->begun(), 1);
}

TEST_F(Retry, RepeatsWritesThatCarryARequestId) {
  v1::CreateUserRequest create;
  create.mutable_user()->set_name("Ada");
  create.set_request_id(NewRequestId());
  server_->FailNext(2, kUnavailable);
  const auto created = BlockOn(client_->CreateUser(create));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(server_->begun(), 3);

  v1::DeleteUserRequest remove;
  remove.set_user_id(created->user_id());
  remove.set_request_id(NewRequestId());
  server_->FailNext(2, kUnavailable);
  EXPECT_TRUE(BlockOn(client_->DeleteUser(remove)).ok());
  EXPECT_EQ(server_->begun(), 6);
}

TEST_F(Retry, AttemptsWritesWithoutARequestIdOnce) {
  v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(1);
  v1::DeleteUserRequest remove;
  remove.set_user_id(1);
  server_->FailNext(100, kUnavailable);
  EXPECT_EQ(BlockOn(client_->CreateUser(v1::CreateUserRequest())).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(BlockOn(client_->UpdateUser(update)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(BlockOn(client_->DeleteUser(remove)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(BlockOn(client_->BatchCreateUsers(v1::BatchCreateUsersRequest())).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(BlockOn(client_->BatchUpdateUsers(v1::BatchUpdateUsersRequest())).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(BlockOn(client_->BatchDeleteUsers(v1::BatchDeleteUsersRequest())).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(server_->begun(), 6);
}

TEST(RetryOff, AttemptsReadsOnceToo) {
  FakeServer server;
  ClientOptions options;
  options.attempts_max = 1;
  const auto client = UserClient::Connect(server.address(), options);
  server->FailNext(1, kUnavailable);
  EXPECT_EQ(BlockOn(client->GetUser(1)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server->begun(), 1);
}

TEST(NewRequestIdTest, IsAVersion4UuidAndNeverTheSame) {
  const std::regex uuid4("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  const std::string id = NewRequestId();
  EXPECT_TRUE(std::regex_match(id, uuid4)) << id;
  EXPECT_NE(id, NewRequestId());
}

}  // namespace
}  // namespace userservice
