#include "client/export_stream.h"

#include <stop_token>
#include <thread>

#include "async/block_on.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice {
namespace {

using testing::FakeServer;
using users::v1::ExportUsersRequest;

Task<absl::StatusOr<int>> CountChunks(ExportStream stream) {
  for (int chunks = 0;; ++chunks) {
    const auto chunk = co_await stream.Next();
    if (!chunk.ok()) co_return chunk.status();
    if (!chunk->has_value()) co_return chunks;
  }
}

// Pulls one chunk, and drops the stream in the middle.
Task<absl::StatusOr<int64_t>> FirstUser(UserClient& client) {
  ExportStream stream = client.ExportUsers(ExportUsersRequest());
  const auto chunk = co_await stream.Next();
  if (!chunk.ok()) co_return chunk.status();
  co_return (*chunk)->users(0).user_id();
}

TEST(ExportStreamTest, GivesEveryChunkAndThenTheEnd) {
  FakeServer server;
  server->AddUsers(500);
  const auto client = UserClient::Connect(server.address());
  EXPECT_EQ(*BlockOn(CountChunks(client->ExportUsers(ExportUsersRequest()))), 500);
}

TEST(ExportStreamTest, KeepsGivingTheEndOnceReached) {
  FakeServer server;
  const auto client = UserClient::Connect(server.address());
  ExportStream stream = client->ExportUsers(ExportUsersRequest());
  EXPECT_FALSE(BlockOn(stream.Next())->has_value());
  EXPECT_FALSE(BlockOn(stream.Next())->has_value());
}

TEST(ExportStreamTest, GivesTheServersError) {
  FakeServer server;
  server->FailNext(1, grpc::StatusCode::INVALID_ARGUMENT);
  const auto client = UserClient::Connect(server.address());
  ExportStream stream = client->ExportUsers(ExportUsersRequest());
  EXPECT_EQ(BlockOn(stream.Next()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(BlockOn(stream.Next()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ExportStreamTest, DroppedHalfwayCancelsTheCallAndIsCleanedUp) {
  FakeServer server;
  server->AddUsers(100'000);
  {
    const auto client = UserClient::Connect(server.address());
    EXPECT_EQ(*BlockOn(FirstUser(*client)), 1);
  }  // the client waits for what is left of the stream
  server->WaitForCancelled(1);
  EXPECT_LT(server->chunks_written(), 100'000);
}

TEST(ExportStreamTest, NeverPulledNeverCalls) {
  FakeServer server;
  {
    const auto client = UserClient::Connect(server.address());
    const ExportStream unused = client->ExportUsers(ExportUsersRequest());
  }
  EXPECT_EQ(server->begun(), 0);
}

TEST(ExportStreamTest, MovesWithItsCallOpen) {
  FakeServer server;
  server->AddUsers(3);
  const auto client = UserClient::Connect(server.address());
  ExportStream stream = client->ExportUsers(ExportUsersRequest());
  ASSERT_TRUE(BlockOn(stream.Next())->has_value());
  EXPECT_EQ(*BlockOn(CountChunks(std::move(stream))), 2);
}

TEST(ExportStreamTest, AStopEndsANextThatWaits) {
  FakeServer server;
  server->Stall();
  const auto client = UserClient::Connect(server.address());
  std::stop_source source;
  std::jthread stops([&] {
    server->WaitForBegun(1);
    source.request_stop();
  });
  ExportStream stream = client->ExportUsers(ExportUsersRequest());
  EXPECT_EQ(BlockOn(stream.Next(), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  server->WaitForCancelled(1);
}

TEST(ExportStreamTest, HasTheStreamDeadline) {
  FakeServer server;
  const auto client = UserClient::Connect(server.address());
  EXPECT_EQ(*BlockOn(CountChunks(client->ExportUsers(ExportUsersRequest()))), 0);
  EXPECT_GT(server->last_deadline(), absl::Minutes(59));
  EXPECT_LE(server->last_deadline(), absl::Minutes(72)) << "gRPC rounds a timeout up to send it";
}

}  // namespace
}  // namespace userservice
