#include "client/watch_stream.h"

#include <gmock/gmock.h>

#include <stop_token>
#include <thread>

#include "async/block_on.h"
#include "client/user_client.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice {
namespace {

using ::testing::ElementsAre;
using testing::FakeServer;
using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

WatchUsersResponse MessageOf(int64_t revision) {
  WatchUsersResponse message;
  message.add_changes()->set_removed_user_id(revision * 10);
  message.mutable_changes(0)->set_revision(revision);
  message.set_revision(revision);
  return message;
}

WatchUsersRequest After(int64_t revision) {
  WatchUsersRequest request;
  request.set_after_revision(revision);
  return request;
}

int64_t NextRevision(WatchStream& stream) {
  const auto message = BlockOn(stream.Next());
  EXPECT_TRUE(message.ok()) << message.status();
  return message.ok() ? message->revision() : -1;
}

TEST(WatchStreamTest, GivesTheMessagesInOrder) {
  FakeServer server;
  for (const int64_t revision : {3, 4, 7}) server->AddWatchMessage(MessageOf(revision));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(0));
  EXPECT_EQ(BlockOn(stream.Next())->changes(0).removed_user_id(), 30);
  EXPECT_EQ(NextRevision(stream), 4);
  EXPECT_EQ(NextRevision(stream), 7);
  EXPECT_THAT(server->watches(), ElementsAre(0));
}

TEST(WatchStreamTest, GoesOnAfterTheLastMessageItGaveOut) {
  FakeServer server;
  server->AddWatchMessage(MessageOf(3));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(1));
  EXPECT_EQ(NextRevision(stream), 3);
  for (const int64_t revision : {4, 5}) {
    server->BreakWatches(grpc::StatusCode::UNAVAILABLE);
    std::jthread adds([&] {
      server->WaitForBegun(static_cast<int>(revision) - 2);  // the call after the one that broke
      server->AddWatchMessage(MessageOf(revision));
    });
    EXPECT_EQ(NextRevision(stream), revision);
  }
  EXPECT_THAT(server->watches(), ElementsAre(1, 3, 4));
}

TEST(WatchStreamTest, AnEndOfTheFeedIsNoEndForTheCaller) {
  FakeServer server;
  server->AddWatchMessage(MessageOf(3));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(0));
  EXPECT_EQ(NextRevision(stream), 3);
  server->BreakWatches(grpc::StatusCode::OK);
  std::jthread adds([&] {
    server->WaitForBegun(2);
    server->AddWatchMessage(MessageOf(4));
  });
  EXPECT_EQ(NextRevision(stream), 4);
}

TEST(WatchStreamTest, FromNowOnIsAskedForUntilAMessageHasCome) {
  FakeServer server;
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(WatchUsersRequest());
  std::jthread breaks([&] {
    server->BreakWatches(grpc::StatusCode::UNAVAILABLE);
    server->WaitForBegun(2);
    server->AddWatchMessage(MessageOf(9));
  });
  EXPECT_EQ(NextRevision(stream), 9);
  EXPECT_THAT(server->watches(), ElementsAre(-1, -1));
}

TEST(WatchStreamTest, ACompactedRevisionIsForTheCaller) {
  google::rpc::ErrorInfo info;
  info.set_domain("users.v1");
  info.set_reason("REVISION_COMPACTED");
  google::rpc::Status details;
  details.set_code(static_cast<int>(grpc::StatusCode::OUT_OF_RANGE));
  details.add_details()->PackFrom(info);
  FakeServer server;
  server->AnswerWith(grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "", details.SerializeAsString()));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(2));
  EXPECT_EQ(ReasonOf(BlockOn(stream.Next()).status()), "REVISION_COMPACTED");
  EXPECT_EQ(ReasonOf(BlockOn(stream.Next()).status()), "REVISION_COMPACTED");
  EXPECT_EQ(server->begun(), 1);

  server->AnswerWith(grpc::Status::OK);
  server->AddWatchMessage(MessageOf(50));
  stream = client->WatchUsers(After(0));
  EXPECT_EQ(NextRevision(stream), 50);
}

TEST(WatchStreamTest, GivesUpWhereNobodyEverAnswered) {
  FakeServer server;
  server->FailNext(100, grpc::StatusCode::UNAVAILABLE);
  ClientOptions options;
  options.attempts_max = 2;
  const auto client = UserClient::Connect(server.address(), options);
  WatchStream stream = client->WatchUsers(After(0));
  EXPECT_EQ(BlockOn(stream.Next()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server->begun(), 2);
}

TEST(WatchStreamTest, AStopEndsANextThatWaits) {
  FakeServer server;
  const auto client = UserClient::Connect(server.address());
  std::stop_source source;
  std::jthread stops([&] {
    server->WaitForBegun(1);
    source.request_stop();
  });
  WatchStream stream = client->WatchUsers(WatchUsersRequest());
  EXPECT_EQ(BlockOn(stream.Next(), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  server->WaitForCancelled(1);
  EXPECT_EQ(server->begun(), 1);
}

TEST(WatchStreamTest, AStopEndsAPauseBetweenTwoCalls) {
  FakeServer server;
  server->AddWatchMessage(MessageOf(1));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(0));
  EXPECT_EQ(NextRevision(stream), 1);
  server->FailNext(1'000'000, grpc::StatusCode::UNAVAILABLE);
  server->BreakWatches(grpc::StatusCode::UNAVAILABLE);
  std::stop_source source;
  std::jthread stops([&] {
    server->WaitForBegun(3);
    source.request_stop();
  });
  EXPECT_EQ(BlockOn(stream.Next(), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
}

TEST(WatchStreamTest, DroppedItCancelsItsCall) {
  FakeServer server;
  server->AddWatchMessage(MessageOf(1));
  {
    const auto client = UserClient::Connect(server.address());
    WatchStream stream = client->WatchUsers(After(0));
    EXPECT_EQ(NextRevision(stream), 1);
  }
  server->WaitForCancelled(1);
}

TEST(WatchStreamTest, HasNoDeadlineUnlessItIsGivenOne) {
  FakeServer server;
  server->AddWatchMessage(MessageOf(1));
  const auto client = UserClient::Connect(server.address());
  WatchStream stream = client->WatchUsers(After(0));
  EXPECT_EQ(NextRevision(stream), 1);
  EXPECT_EQ(server->last_deadline(), absl::InfiniteDuration());
  CallOptions options;
  options.deadline = absl::Milliseconds(50);
  WatchStream ends = client->WatchUsers(After(1), options);
  EXPECT_EQ(BlockOn(ends.Next()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace userservice
