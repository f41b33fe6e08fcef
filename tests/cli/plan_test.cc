// The plan of `userctl gather`, its two runs against a server, and what they come to.
#include "client/cli/gather/plan.h"

#include "async/block_on.h"
#include "client/cli/gather/runs.h"
#include "client/cli/gather/summary.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice::cli {
namespace {

using testing::FakeServer;
using users::v1::CountUsersResponse;
using users::v1::ListUsersResponse;
using users::v1::User;

User Named(const std::string& name) {
  User user;
  user.set_name(name);
  return user;
}

TEST(Plan, IsThreeListsACountForEachDecadeAndTheReads) {
  const std::vector<PlannedCall> plan = MakePlan({4, 5});
  ASSERT_EQ(plan.size(), 16U);
  EXPECT_EQ(plan[0].label, "all users");
  EXPECT_EQ(plan[2].label, "age > 40");
  EXPECT_EQ(plan[3].label, "age >= 0 AND age <= 9");
  EXPECT_EQ(plan[13].label, "age >= 100 AND age <= 150");
  EXPECT_EQ(plan[15].label, "user 5");
}

TEST(SameAnswerTest, ComparesUsersAndCounts) {
  CountUsersResponse two;
  two.set_count(2);
  CountUsersResponse later = two;
  later.set_revision(99);
  EXPECT_TRUE(SameAnswer(Named("Ada"), Named("Ada")));
  EXPECT_FALSE(SameAnswer(Named("Ada"), Named("Eve")));
  EXPECT_TRUE(SameAnswer(two, later));
  EXPECT_FALSE(SameAnswer(two, CountUsersResponse()));
  EXPECT_FALSE(SameAnswer(two, Named("Ada")));
}

TEST(SameAnswerTest, ComparesEveryUserOfAPageInOrder) {
  ListUsersResponse page;
  *page.add_users() = Named("Ada");
  *page.add_users() = Named("Eve");
  ListUsersResponse turned;
  *turned.add_users() = Named("Eve");
  *turned.add_users() = Named("Ada");
  EXPECT_TRUE(SameAnswer(page, page));
  EXPECT_FALSE(SameAnswer(page, turned));
  EXPECT_FALSE(SameAnswer(page, ListUsersResponse()));
}

TEST(Runs, GiveTheSameAnswersOneAfterAnotherAndGathered) {
  FakeServer server;
  server->AddUsers(50);
  const auto client = UserClient::Connect(server.address());
  const std::vector<PlannedCall> plan = MakePlan({1, 7, 50});
  const auto sequential = BlockOn(RunOneAfterAnother(*client, plan));
  ASSERT_TRUE(sequential.ok()) << sequential.status();
  const auto gathered = BlockOn(RunGathered(*client, plan));
  ASSERT_TRUE(gathered.ok()) << gathered.status();

  for (size_t i = 1; i < plan.size(); ++i)
    EXPECT_GE(sequential->calls[i].start, sequential->calls[i - 1].end);
  EXPECT_EQ(gathered->server_spans[0].size(), 3U);
  const Summary summary = Summarize(plan, *sequential, *gathered);
  EXPECT_TRUE(summary.differences.empty());
  ASSERT_EQ(summary.kinds.size(), 3U);
  EXPECT_EQ(summary.kinds[1].name, "count");
  EXPECT_EQ(summary.kinds[1].calls, 11U);
  EXPECT_EQ(summary.all.calls, plan.size());
}

TEST(Runs, NameTheAnswersThatDiffer) {
  const std::vector<PlannedCall> plan = MakePlan({1});
  MeasuredRun run;
  run.calls.resize(plan.size());
  for (size_t i = 0; i < plan.size(); ++i) run.answers.emplace_back(Named("Ada"));
  MeasuredRun other = run;
  other.answers.back() = Named("Eve");
  EXPECT_EQ(Summarize(plan, run, other).differences, std::vector<std::string>{"user 1"});
}

TEST(Runs, EndWithTheFirstError) {
  FakeServer server;
  server->AddUsers(1);
  const auto client = UserClient::Connect(server.address());
  const std::vector<PlannedCall> plan = MakePlan({1, 2});
  EXPECT_EQ(BlockOn(RunOneAfterAnother(*client, plan)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(BlockOn(RunGathered(*client, plan)).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace userservice::cli
