// The rules of `userctl conformance` pass where the contract is kept, and fail where it is not:
// each fault fails the rules that it breaks, and no other.
#include <gmock/gmock.h>

#include <set>
#include <stop_token>

#include "client/cli/conformance/report.h"
#include "client/cli/conformance/run.h"
#include "tests/cli/support/unfaithful_server.h"
#include "tests/support/local_app.h"

namespace userservice::cli::conformance {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using userservice::testing::Fault;
using userservice::testing::UnfaithfulServer;

using Rules = std::vector<std::string>;

// An unfaithful server hands on the calls of users.v1 alone.
std::vector<Group> GroupsHandedOn() {
  std::vector<Group> groups;
  for (Group& group : AllGroups())
    if (group.name != "methods" && group.name != "health") groups.push_back(std::move(group));
  return groups;
}

std::vector<Group> Only(const std::string& name) {
  std::vector<Group> groups;
  for (Group& group : AllGroups())
    if (group.name == name) groups.push_back(std::move(group));
  return groups;
}

std::string AllUsers(const LocalApp& app) {
  const auto stub = app.Users();
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::ListUsersRequest request;
  request.set_page_size(1000);
  users::v1::ListUsersResponse page;
  EXPECT_TRUE(stub->ListUsers(&context, request, &page).ok());
  page.clear_revision();
  return page.DebugString();
}

class ConformanceTest : public ::testing::Test {
 protected:
  static Config WithSampleUsers() {
    Config config;
    config.sample_users = true;
    return config;
  }

  std::vector<Result> RunAt(const std::string& address, const std::vector<Group>& groups,
                            const std::stop_token& stop = std::stop_token()) {
    const Server server{OwnConnection(address), absl::Seconds(30)};
    return RunRules(groups, server, NewRunDomain(), stop, [](const Result&) {});
  }

  // The rules that fail because of it, with what was found.
  Rules FailedWith(Fault fault) {
    const UnfaithfulServer server(app_.address(), fault);
    Rules failed;
    for (const Result& result : RunAt(server.address(), GroupsHandedOn())) {
      if (result.verdict == Verdict::kFail) failed.push_back(result.rule);
    }
    return failed;
  }

  LocalApp app_{WithSampleUsers()};
};

TEST_F(ConformanceTest, EveryRulePassesAndTheTableIsAsBefore) {
  const std::string before = AllUsers(app_);
  const std::vector<Result> results = RunAt(app_.address(), AllGroups());
  EXPECT_GE(results.size(), 60U);
  for (const Result& result : results) {
    EXPECT_NE(result.verdict, Verdict::kFail)
        << result.rule << ": " << Sentence(result.findings.front());
    EXPECT_EQ(result.left_behind, "") << result.rule;
  }
  EXPECT_EQ(AllUsers(app_), before);
}

TEST_F(ConformanceTest, NoRuleFailsForBeingHandedOn) {
  EXPECT_THAT(FailedWith(Fault::kNone), IsEmpty());
}

TEST_F(ConformanceTest, APageSizeThatIsIgnored) {
  EXPECT_THAT(
      FailedWith(Fault::kIgnoresPageSize),
      ElementsAreArray(Rules{
          "a page_size above 1,000 gives 1,000 users", "a negative page_size is refused",
          "no page is longer than its page_size, which may change", "a token is safe in a URL",
          "a token with a changed byte is refused", "a token is refused with another filter",
          "a token is refused with another order", "a page token is refused as a resume token",
          "an empty filter matches every user"}));
}

TEST_F(ConformanceTest, AWrongReason) {
  EXPECT_THAT(
      FailedWith(Fault::kTakenIsNotFound),
      ElementsAreArray(
          Rules{"an address in another case is the same",
                "validate_only answers alike and stores nothing",
                "a write that failed does not take its request_id",
                "a batch of creates stores all or none", "one address twice in a batch is refused",
                "an address that is taken is ALREADY_EXISTS, and its user not shown"}));
}

TEST_F(ConformanceTest, ErrorsWithoutDetails) {
  EXPECT_THAT(FailedWith(Fault::kNoDetailsOfGet),
              ElementsAreArray(Rules{
                  "a user who is not there is NOT_FOUND, and named",
                  "a number that nobody can have is NOT_FOUND",
                  "every error carries ErrorInfo and RequestInfo, each detail once, in 4 KiB"}));
}

TEST_F(ConformanceTest, ARepeatThatIsDoneAgain) {
  EXPECT_THAT(
      FailedWith(Fault::kRunsRepeatedCreates),
      ElementsAreArray(Rules{"a repeated create answers with the first success and stores one user",
                             "a request that is sent several times at once is done once",
                             "a request_id is refused with another payload"}));
}

TEST_F(ConformanceTest, EtagsThatAreIgnored) {
  EXPECT_THAT(FailedWith(Fault::kIgnoresEtags),
              ElementsAreArray(Rules{"an update with a stale etag is refused and changes nothing",
                                     "a deletion with a stale etag is refused",
                                     "an etag that never was is refused"}));
}

TEST_F(ConformanceTest, AnAbsentAgeThatIsShownAsZero) {
  EXPECT_THAT(
      FailedWith(Fault::kAbsentAgeIsZero),
      ElementsAreArray(Rules{
          "an age that is absent stays absent", "a field that is named and not set is cleared",
          "* means name, email and age", "output-only fields in a mask are ignored",
          "what an update writes is checked and coerced as in a create"}));
}

TEST_F(ConformanceTest, AnExportThatAlwaysBeginsAtTheStart) {
  EXPECT_THAT(
      FailedWith(Fault::kExportsFromTheStart),
      ElementsAreArray(Rules{"a page token is refused as a resume token",
                             "an export goes on after any of its chunks",
                             "a resume token is refused with another filter, and text too"}));
}

TEST_F(ConformanceTest, ARuleThatCanNotCleanUpSaysSo) {
  const UnfaithfulServer server(app_.address(), Fault::kDeletesNothing);
  const std::vector<Result> results = RunAt(server.address(), Only("orders"));
  ASSERT_FALSE(results.empty());
  EXPECT_THAT(results.front().left_behind, HasSubstr("5 users with addresses at "));
  EXPECT_THAT(results.front().left_behind, HasSubstr("UNAVAILABLE"));
}

TEST_F(ConformanceTest, AStopEndsTheRunAndLeavesNobody) {
  const std::string before = AllUsers(app_);
  std::stop_source source;
  const Server server{OwnConnection(app_.address()), absl::Seconds(30)};
  std::vector<Group> groups = Only("paging");
  static std::stop_source* stopped = nullptr;
  stopped = &source;
  groups.front().rules = {{"a rule that is stopped when it has made users",
                           [](Probe& probe) {
                             probe.CreateMany(3);
                             stopped->request_stop();
                             probe.Create("Never", "never");
                           }},
                          {"a rule after it", [](Probe& probe) { probe.CreateMany(1); }}};
  const auto results =
      RunRules(groups, server, NewRunDomain(), source.get_token(), [](const Result&) {});
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].verdict, Verdict::kSkip);
  EXPECT_EQ(results[0].reason, "interrupted");
  EXPECT_EQ(AllUsers(app_), before);
}

TEST_F(ConformanceTest, RuleNamesAreDifferent) {
  std::set<std::string> names;
  for (const Group& group : AllGroups())
    for (const Rule& rule : group.rules) EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
}

TEST(ConformanceReportTest, JUnitIsEscaped) {
  Result result;
  result.group = "a & b";
  result.rule = "says <\"that'>";
  result.verdict = Verdict::kFail;
  result.findings = {{"x", "<1>", "2\x01 & \xff"}};
  const std::string xml = JUnitXml("host:1", {result});
  EXPECT_THAT(xml, HasSubstr("classname=\"conformance.a &amp; b\""));
  EXPECT_THAT(xml, HasSubstr("name=\"says &lt;&quot;that&apos;&gt;\""));
  EXPECT_THAT(xml, HasSubstr("x: expected &lt;1&gt;, came 2\xEF\xBF\xBD &amp; \xEF\xBF\xBD"));
  EXPECT_THAT(xml, HasSubstr("tests=\"1\" failures=\"1\""));
}

}  // namespace
}  // namespace userservice::cli::conformance
