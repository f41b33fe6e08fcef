// A server that has gone without a word, as when its machine loses power: nothing is reset, nothing
// is refused, nothing comes.
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/time/clock.h"
#include "async/block_on.h"
#include "client/user_client.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

TEST(KeepaliveTest, ACallLearnsWithinItsBoundThatTheServerIsGone) {
  const TemporaryDirectory directory;
  UserdProcess userd({"--database=" + directory.File("users.db"), "--sample_users"});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  ClientOptions options;
  options.attempts_max = 1;
  options.keepalive = absl::Milliseconds(200);
  options.keepalive_timeout = absl::Milliseconds(200);
  const auto client = UserClient::Connect(userd.address(), options);
  ASSERT_TRUE(BlockOn(client->GetUser(1)).ok());

  userd.Suspend();
  CallOptions patient;
  patient.deadline = absl::Seconds(50);
  const absl::Time start = absl::Now();
  const absl::Status status = BlockOn(client->GetUser(1, patient)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
  userd.Signal(SIGCONT);
}

}  // namespace
}  // namespace userservice
