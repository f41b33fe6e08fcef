// ImportStream against a fake that breaks calls in every phase.
#include "client/import_stream.h"

#include <set>
#include <stop_token>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "client/user_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_import_server.h"

namespace userservice {
namespace {

using testing::FakeImportServer;
using users::v1::ImportUsersRequest;

ImportUsersRequest ChunkOf(int number, int users = 2) {
  ImportUsersRequest chunk;
  for (int i = 0; i < users; ++i) {
    chunk.add_users()->set_email(absl::StrCat("c", number, "u", i, "@example.com"));
  }
  return chunk;
}

std::vector<ImportUsersRequest> Chunks(int count) {
  std::vector<ImportUsersRequest> chunks;
  for (int i = 1; i <= count; ++i) chunks.push_back(ChunkOf(i));
  return chunks;
}

std::vector<std::string> EmailsOf(const std::vector<ImportUsersRequest>& chunks) {
  std::vector<std::string> emails;
  for (const ImportUsersRequest& chunk : chunks) {
    for (const users::v1::User& user : chunk.users()) emails.push_back(user.email());
  }
  return emails;
}

ImportOptions Impatient(int window_chunks = 3) {
  ImportOptions options;
  options.window_chunks = window_chunks;
  options.first_pause = absl::Milliseconds(1);
  return options;
}

// The sequences that were answered, in their order.
Task<absl::StatusOr<std::vector<int64_t>>> Import(ImportStream import,
                                                  std::vector<ImportUsersRequest> chunks) {
  std::vector<int64_t> answered;
  for (const ImportUsersRequest& chunk : chunks) {
    const auto earlier = co_await import.Write(chunk);
    if (!earlier.ok()) co_return earlier.status();
    if (earlier->has_value()) answered.push_back((*earlier)->sequence());
  }
  for (;;) {
    const auto outcome = co_await import.Next();
    if (!outcome.ok()) co_return outcome.status();
    if (!outcome->has_value()) co_return answered;
    answered.push_back((*outcome)->sequence());
  }
}

TEST(ImportStreamTest, GivesAnOutcomeForEachChunkInOrder) {
  FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  const auto answered = BlockOn(Import(client->ImportUsers(), Chunks(20)));
  ASSERT_TRUE(answered.ok()) << answered.status();
  EXPECT_EQ(answered->size(), 20);
  EXPECT_EQ(answered->front(), 1);
  EXPECT_EQ(answered->back(), 20);
  EXPECT_EQ(server.emails(), EmailsOf(Chunks(20)));
  EXPECT_EQ(server.calls(), 1);
}

TEST(ImportStreamTest, WithoutChunksMakesNoCall) {
  FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  EXPECT_EQ(BlockOn(Import(client->ImportUsers(), {}))->size(), 0);
  EXPECT_EQ(server.calls(), 0);
}

TEST(ImportStreamTest, KeepsGivingTheEndOnceReached) {
  FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  ImportStream import = client->ImportUsers();
  ASSERT_TRUE(BlockOn(import.Write(ChunkOf(1))).ok());
  EXPECT_TRUE(BlockOn(import.Next())->has_value());
  EXPECT_FALSE(BlockOn(import.Next())->has_value());
  EXPECT_FALSE(BlockOn(import.Next())->has_value());
  EXPECT_EQ(BlockOn(import.Write(ChunkOf(2))).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(ImportStreamTest, KeepsTheCallersSequencesAndRequestIds) {
  FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  ImportUsersRequest chunk = ChunkOf(1);
  chunk.set_sequence(70);
  chunk.set_request_id("5d1f0c1e-8f43-4d5e-8a3e-0d6c6f2b7a11");
  EXPECT_EQ(*BlockOn(Import(client->ImportUsers(), {chunk, ChunkOf(2)})),
            (std::vector<int64_t>{70, 71}));
  EXPECT_EQ(server.request_ids().front(), chunk.request_id());
  EXPECT_NE(server.request_ids().back(), chunk.request_id());
}

TEST(ImportStreamTest, MovesWithItsCallOpen) {
  FakeImportServer server;
  const auto client = UserClient::Connect(server.address());
  ImportStream first = client->ImportUsers();
  ASSERT_TRUE(BlockOn(first.Write(ChunkOf(1))).ok());
  ImportStream second = client->ImportUsers();
  second = std::move(first);
  EXPECT_EQ(BlockOn(Import(std::move(second), {ChunkOf(2)}))->size(), 2);
}

// Read, answered: from a call that is refused at once to one that ends when all was answered.
class EveryPhase : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(EveryPhase, ABrokenCallLosesNothingAndDoublesNothing) {
  const auto [read, answered] = GetParam();
  FakeImportServer server;
  server.BreakNextCall(read, answered);
  const auto client = UserClient::Connect(server.address());
  const auto sequences = BlockOn(Import(client->ImportUsers(Impatient()), Chunks(6)));
  ASSERT_TRUE(sequences.ok()) << sequences.status();
  EXPECT_EQ(*sequences, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(server.emails(), EmailsOf(Chunks(6)));
  EXPECT_EQ(server.request_ids().size(), 6) << "a repeat has the id of the first attempt";
}

INSTANTIATE_TEST_SUITE_P(ImportStreamTest, EveryPhase,
                         ::testing::Values(std::tuple(0, 0), std::tuple(1, 0), std::tuple(1, 1),
                                           std::tuple(2, 1), std::tuple(3, 0), std::tuple(3, 3),
                                           std::tuple(4, 3), std::tuple(5, 5), std::tuple(6, 4),
                                           std::tuple(6, 6)));

TEST(ImportStreamTest, ABreakAfterEveryChunkStillEnds) {
  FakeImportServer server;
  for (int i = 0; i < 12; ++i) server.BreakNextCall(1, 1);
  const auto client = UserClient::Connect(server.address());
  ASSERT_TRUE(BlockOn(Import(client->ImportUsers(Impatient()), Chunks(12))).ok());
  EXPECT_EQ(server.emails(), EmailsOf(Chunks(12)));
  EXPECT_GE(server.calls(), 12);
}

TEST(ImportStreamTest, GivesUpAfterAttemptsInVain) {
  FakeImportServer server;
  for (int i = 0; i < 100; ++i) server.BreakNextCall(1, 0);
  const auto client = UserClient::Connect(server.address());
  ImportOptions options = Impatient();
  options.attempts_in_vain_max = 3;
  EXPECT_EQ(BlockOn(Import(client->ImportUsers(options), Chunks(2))).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.calls(), 3);
}

TEST(ImportStreamTest, WhereNoServerIsItSaysSoAtOnce) {
  const auto client = UserClient::Connect("127.0.0.1:1");
  ImportOptions options;
  options.first_pause = absl::Hours(1);
  EXPECT_EQ(BlockOn(Import(client->ImportUsers(options), Chunks(2))).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ImportStreamTest, AnErrorThatWouldComeAgainEndsItAfterTheOutcomesBeforeIt) {
  FakeImportServer server;
  server.BreakNextCall(3, 2, grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto client = UserClient::Connect(server.address());
  ImportStream import = client->ImportUsers();
  int outcomes = 0;
  for (int i = 1; i <= 3; ++i) {
    const auto earlier = BlockOn(import.Write(ChunkOf(i)));
    ASSERT_TRUE(earlier.ok());
    outcomes += earlier->has_value() ? 1 : 0;
  }
  absl::StatusOr<ImportStream::Outcome> next = BlockOn(import.Next());
  for (; next.ok(); next = BlockOn(import.Next())) ++outcomes;
  EXPECT_EQ(outcomes, 2);
  EXPECT_EQ(next.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(BlockOn(import.Next()).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(server.calls(), 1);
}

TEST(ImportStreamTest, AnAnswerToAnotherChunkIsAnError) {
  FakeImportServer server;
  server.AnswerWithSequence(99);
  const auto client = UserClient::Connect(server.address());
  EXPECT_EQ(BlockOn(Import(client->ImportUsers(), Chunks(2))).status().code(),
            absl::StatusCode::kInternal);
}

TEST(ImportStreamTest, AnImportThatTheServerEndsEarlyIsAnError) {
  FakeImportServer server;
  server.BreakNextCall(2, 1, grpc::StatusCode::OK);
  const auto client = UserClient::Connect(server.address());
  EXPECT_EQ(BlockOn(Import(client->ImportUsers(), Chunks(2))).status().code(),
            absl::StatusCode::kInternal);
}

TEST(ImportStreamTest, NoMoreThanTheWindowIsInFlight) {
  FakeImportServer server;
  server.Hold();
  const auto client = UserClient::Connect(server.address());
  ImportStream import = client->ImportUsers(Impatient(2));
  ASSERT_TRUE(BlockOn(import.Write(ChunkOf(1))).ok());
  ASSERT_TRUE(BlockOn(import.Write(ChunkOf(2))).ok());
  std::stop_source source;
  std::jthread stops([&] {
    server.WaitForRead(1);
    source.request_stop();
  });
  EXPECT_EQ(BlockOn(import.Write(ChunkOf(3)), source.get_token()).status().code(),
            absl::StatusCode::kCancelled);
  server.LetGo();
  EXPECT_EQ(BlockOn(Import(std::move(import), {ChunkOf(4)}))->size(), 3)
      << "a stopped wait leaves the stream as it was, and its chunk out";
  EXPECT_EQ(server.emails(), EmailsOf({ChunkOf(1), ChunkOf(2), ChunkOf(4)}));
}

TEST(ImportStreamTest, DroppedHalfwayCancelsTheCallAndIsCleanedUp) {
  FakeImportServer server;
  server.Hold();
  {
    const auto client = UserClient::Connect(server.address());
    ImportStream import = client->ImportUsers();
    ASSERT_TRUE(BlockOn(import.Write(ChunkOf(1))).ok());
    server.WaitForRead(1);
  }  // the client waits for what is left of the stream
  server.WaitForEnded(1);
}

TEST(ImportStreamTest, DroppedWhileItPausesEndsAtOnce) {
  FakeImportServer server;
  server.BreakNextCall(1, 0);
  const auto client = UserClient::Connect(server.address());
  ImportOptions options;
  options.first_pause = absl::Hours(1);
  ImportStream import = client->ImportUsers(options);
  ASSERT_TRUE(BlockOn(import.Write(ChunkOf(1))).ok());
  server.WaitForEnded(1);
}

TEST(ImportStreamTest, TheObserverIsToldOfEveryCall) {
  FakeImportServer server;
  server.BreakNextCall(1, 0);
  const auto client = UserClient::Connect(server.address());
  ImportOptions options = Impatient();
  std::vector<absl::StatusCode> codes;
  options.call.observer = [&](const CallRecord& record) { codes.push_back(record.status.code()); };
  ASSERT_TRUE(BlockOn(Import(client->ImportUsers(options), Chunks(2))).ok());
  EXPECT_THAT(codes, ::testing::ElementsAre(absl::StatusCode::kUnavailable, absl::StatusCode::kOk));
}

}  // namespace
}  // namespace userservice
