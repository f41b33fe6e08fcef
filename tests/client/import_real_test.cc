// ImportStream against the real service: connections that are cut, a server that is killed.
#include <csignal>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/support/cutting_proxy.h"
#include "tests/support/local_app.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using users::v1::ImportUsersRequest;

ImportUsersRequest RealChunk(const std::string& domain, int number, int users) {
  ImportUsersRequest chunk;
  for (int i = 0; i < users; ++i) {
    users::v1::User* const user = chunk.add_users();
    user->set_name(absl::StrCat("User ", i, " of chunk ", number));
    user->set_email(absl::StrCat("c", number, "u", i, "@", domain));
  }
  return chunk;
}

ImportOptions Persistent() {
  ImportOptions options;
  options.first_pause = absl::Milliseconds(1);
  options.attempts_in_vain_max = 10'000;
  return options;
}

// How many users the outcomes say were stored, or -1 and a failure of the test.
struct Tally {
  int64_t created = 0;
  int64_t failed = 0;

  void Add(const absl::StatusOr<ImportStream::Outcome>& outcome) {
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    if (!outcome->has_value()) return;
    created += (*outcome)->created_count();
    failed += (*outcome)->failures_size();
  }
};

int64_t CountOf(UserClient& client, const std::string& filter) {
  users::v1::CountUsersRequest request;
  request.set_filter(filter);
  const auto count = BlockOn(client.CountUsers(request));
  EXPECT_TRUE(count.ok()) << count.status();
  return count.ok() ? count->count() : -1;
}

Tally ImportAll(ImportStream import, const std::vector<ImportUsersRequest>& chunks) {
  Tally tally;
  for (const ImportUsersRequest& chunk : chunks) tally.Add(BlockOn(import.Write(chunk)));
  for (;;) {
    const auto outcome = BlockOn(import.Next());
    tally.Add(outcome);
    if (!outcome.ok() || !outcome->has_value()) return tally;
  }
}

TEST(ImportRealTest, AConnectionThatIsCutAnywhereLosesNothingAndDoublesNothing) {
  LocalApp app;
  const auto direct = UserClient::Connect(app.address());
  for (size_t bytes = 20; bytes < 2'000; bytes += 60) {
    SCOPED_TRACE(bytes);
    const CuttingProxy proxy(app.address(), {bytes, bytes * 2});
    ClientOptions client_options;
    const auto client = UserClient::Connect(proxy.address(), client_options);
    ImportOptions options = Persistent();
    options.call.wait_for_ready = true;  // cut in the handshake, it never had a connection
    const std::string domain = absl::StrCat("cut", bytes, ".example.com");
    std::vector<ImportUsersRequest> chunks;
    for (int i = 0; i < 8; ++i) chunks.push_back(RealChunk(domain, i, 3));
    const Tally tally = ImportAll(client->ImportUsers(options), chunks);
    EXPECT_EQ(tally.created, 24);
    EXPECT_EQ(tally.failed, 0) << "a repeat gives the first outcome";
    EXPECT_EQ(CountOf(*direct, absl::StrCat("email = \"*@", domain, "\"")), 24);
    EXPECT_GT(proxy.connections(), 1);
    if (HasFailure()) return;
  }
  EXPECT_TRUE(app.IsIdle());
}

TEST(ImportRealTest, WhatCanNotBeStoredComesInTheOutcome) {
  LocalApp app;
  const auto client = UserClient::Connect(app.address());
  ImportUsersRequest chunk = RealChunk("example.com", 1, 3);
  chunk.mutable_users(1)->set_email("nobody");
  ImportStream import = client->ImportUsers();
  ASSERT_TRUE(BlockOn(import.Write(chunk)).ok());
  const auto outcome = BlockOn(import.Next());
  ASSERT_TRUE(outcome.ok() && outcome->has_value()) << outcome.status();
  ASSERT_EQ((*outcome)->failures_size(), 1);
  const absl::Status failure = StatusFromProto((*outcome)->failures(0).status());
  EXPECT_EQ(failure.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(failure), "FIELD_INVALID");
  ASSERT_EQ(FieldViolationsOf(failure).size(), 1);
  EXPECT_EQ(FieldViolationsOf(failure)[0].field, "user.email");
}

TEST(ImportRealTest, AServerThatIsKilledInTheMiddleAndStartedAgainHasEachUserOnce) {
  const TemporaryDirectory directory;
  const std::string database = "--database=" + directory.File("users.db");
  auto userd = std::make_unique<UserdProcess>(std::vector<std::string>{database});
  ASSERT_TRUE(userd->WaitUntilServing()) << userd->errors();
  const std::string address = userd->address();
  const auto client = UserClient::Connect(address);
  constexpr int kChunks = 60;
  constexpr int kUsers = 200;

  Tally tally;
  ImportStream import = client->ImportUsers(Persistent());
  for (int i = 0; i < kChunks; ++i) {
    tally.Add(BlockOn(import.Write(RealChunk("example.com", i, kUsers))));
    if (i != kChunks / 3 && i != 2 * kChunks / 3) continue;
    userd->Signal(SIGKILL);  // with a window of chunks in flight
    EXPECT_EQ(userd->WaitForExit(), 128 + SIGKILL);
    UserdOptions same_port;
    same_port.own_port = false;
    userd = std::make_unique<UserdProcess>(
        std::vector<std::string>{database, "--listen_address=" + address}, same_port);
    ASSERT_TRUE(userd->WaitUntilServing()) << userd->errors();
  }
  for (bool more = true; more;) {
    const auto outcome = BlockOn(import.Next());
    tally.Add(outcome);
    more = outcome.ok() && outcome->has_value();
  }
  EXPECT_EQ(tally.created, kChunks * kUsers);
  EXPECT_EQ(tally.failed, 0);
  EXPECT_EQ(CountOf(*client, ""), kChunks * kUsers);
}

}  // namespace
}  // namespace userservice
