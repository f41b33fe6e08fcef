// Many RPCs at once over one client.
#include "async/gather.h"

#include <stop_token>
#include <thread>

#include "async/block_on.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice {
namespace {

using testing::FakeServer;
using users::v1::User;

TEST(GatherRpcs, GivesAThousandAnswersInTheOrderAsked) {
  FakeServer server;
  server->AddUsers(1000);
  const auto client = UserClient::Connect(server.address());
  std::vector<Task<absl::StatusOr<User>>> gets;
  for (int64_t id = 1000; id >= 1; --id) gets.push_back(client->GetUser(id));
  const auto users = BlockOn(Gather(std::move(gets), GatherOptions(/*tasks_in_flight_max=*/100)));
  ASSERT_TRUE(users.ok()) << users.status();
  ASSERT_EQ(users->size(), 1000U);
  for (size_t i = 0; i < users->size(); ++i)
    EXPECT_EQ((*users)[i].user_id(), 1000 - static_cast<int64_t>(i));
}

TEST(GatherRpcs, StartsAllBeforeAnyHasEnded) {
  FakeServer server;
  server->AddUsers(10);
  server->Stall();
  const auto client = UserClient::Connect(server.address());
  std::vector<Task<absl::StatusOr<User>>> gets;
  for (int64_t id = 1; id <= 10; ++id) gets.push_back(client->GetUser(id));
  std::jthread releases([&] {
    server->WaitForBegun(10);
    server->Release();
  });
  EXPECT_TRUE(BlockOn(Gather(std::move(gets))).ok());
}

TEST(GatherRpcs, OfDifferentKindsIsATuple) {
  FakeServer server;
  server->AddUsers(4);
  const auto client = UserClient::Connect(server.address());
  const auto both =
      BlockOn(Gather(client->GetUser(2), client->CountUsers(users::v1::CountUsersRequest())));
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(std::get<0>(*both).user_id(), 2);
  EXPECT_EQ(std::get<1>(*both).count(), 4);
}

TEST(GatherRpcs, OneFailureCancelsTheOthersOnTheWire) {
  FakeServer server;
  server->AddUsers(1);
  server->Stall();
  const auto client = UserClient::Connect(server.address());
  CallOptions hasty;
  hasty.deadline = absl::Milliseconds(200);
  const auto outcome = BlockOn(Gather(client->GetUser(1), client->GetUser(1, hasty)));
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kDeadlineExceeded);
  server->WaitForCancelled(2);  // the one whose deadline passed, and its sibling
}

TEST(GatherOutcomesOfRpcs, GivesTheGoodBesideTheBad) {
  FakeServer server;
  server->AddUsers(3);
  const auto client = UserClient::Connect(server.address());
  std::vector<Task<absl::StatusOr<User>>> gets;
  for (const int64_t id : {1, 99, 3}) gets.push_back(client->GetUser(id));
  const auto outcomes = BlockOn(GatherOutcomes(std::move(gets)));
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0]->user_id(), 1);
  EXPECT_EQ(outcomes[1].status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(outcomes[2]->user_id(), 3);
}

}  // namespace
}  // namespace userservice
