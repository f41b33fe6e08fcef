// The program userd: its flags, its environment, its port, its log.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/e2e/user_service_client.h"
#include "tests/support/eventually.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class UserdTest : public testing::Test {
 protected:
  std::string DatabaseFlag() const { return "--database=" + directory_.File("users.db"); }

  const TemporaryDirectory directory_;
};

int64_t CountAll(const std::string& address) {
  UserServiceClient users(OwnConnection(address));
  users::v1::CountUsersResponse response;
  EXPECT_EQ(Outcome(users.Call(&Stub::CountUsers, users::v1::CountUsersRequest(), &response)),
            "OK");
  return response.count();
}

TEST_F(UserdTest, PortZeroPicksAPortAndSaysWhich) {
  UserdProcess userd({DatabaseFlag()});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  EXPECT_THAT(userd.output(), MatchesRegex("listening on 127.0.0.1:[1-9][0-9]*\n"));
  EXPECT_EQ(CountAll(userd.address()), 0);
}

TEST_F(UserdTest, APortThatIsTakenIsAOneLineError) {
  UserdProcess first({DatabaseFlag()});
  ASSERT_TRUE(first.WaitUntilServing()) << first.errors();
  UserdOptions options;
  options.own_port = false;
  UserdProcess second({"--listen_address=" + first.address(),
                       "--database=" + directory_.File("other.db"), "--log_level=error"},
                      options);
  EXPECT_EQ(second.WaitForExit(), 1);
  EXPECT_THAT(second.errors(), HasSubstr("userd: cannot listen on " + first.address()));
  EXPECT_THAT(second.errors(), HasSubstr("--listen_address"));
  EXPECT_EQ(second.output(), "");
  // The first is not disturbed.
  EXPECT_EQ(CountAll(first.address()), 0);
}

TEST_F(UserdTest, TakesAsManyConnectionsAsTheSystemLetsIt) {
  UserdOptions options;
  options.prefix = {"prlimit", "--nofile=256:2048"};
  UserdProcess userd({DatabaseFlag()}, options);
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  rlimit limit{};
  ASSERT_EQ(prlimit(userd.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 2048);
}

TEST_F(UserdTest, BadUsageIsToldAndExitsWithTwo) {
  for (const std::string flag : {"--no_such_flag=1", "--calls_max=0", "--calls_max=many",
                                 "--drain_ms=-1", "--log_level=loud", "--calls_max=010",
                                 "--scan_queue_jobs_max=-1", "--point_threads=-1", "stray"}) {
    UserdProcess userd({DatabaseFlag(), flag});
    EXPECT_EQ(userd.WaitForExit(), 2) << flag;
    EXPECT_NE(userd.errors(), "") << flag;
    EXPECT_EQ(userd.output(), "") << flag;
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.File("users.db")));
}

TEST_F(UserdTest, HelpNamesEveryFlagAndExitsWithZero) {
  UserdProcess userd({"--help"});
  EXPECT_EQ(userd.WaitForExit(), 0);
  for (const char* const flag :
       {"--listen_address", "--database", "--drain_ms", "--log_level", "--streams_max"}) {
    EXPECT_THAT(userd.output(), HasSubstr(flag));
  }
}

TEST_F(UserdTest, FlagsCanComeFromTheEnvironmentAndTheCommandLineWins) {
  UserdOptions options;
  options.own_port = false;
  options.environment = {"USERD_LISTEN_ADDRESS=127.0.0.1:0",
                         "USERD_DATABASE=" + directory_.File("env.db"), "USERD_SAMPLE_USERS=1",
                         "USERD_LOG_LEVEL=error"};
  UserdProcess from_environment({}, options);
  ASSERT_TRUE(from_environment.WaitUntilServing()) << from_environment.errors();
  EXPECT_EQ(CountAll(from_environment.address()), 5);
  EXPECT_TRUE(std::filesystem::exists(directory_.File("env.db")));
  EXPECT_EQ(from_environment.errors(), "");

  UserdProcess from_flag({DatabaseFlag()}, options);
  ASSERT_TRUE(from_flag.WaitUntilServing()) << from_flag.errors();
  EXPECT_TRUE(std::filesystem::exists(directory_.File("users.db")));

  options.environment.emplace_back("USERD_CALLS_MAX=none");
  UserdProcess bad({}, options);
  EXPECT_EQ(bad.WaitForExit(), 2);
}

TEST_F(UserdTest, SigtermStopsAnIdleServerSoonAndLeavesOneFile) {
  UserdProcess userd({DatabaseFlag(), "--sample_users"});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  const auto idle_connection = OwnConnection(userd.address());
  UserServiceClient users(idle_connection);
  EXPECT_EQ(users.ListAll({}).size(), 5U);
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(absl::Seconds(4)), 0) << "an idle client held the drain";
  EXPECT_FALSE(std::filesystem::exists(directory_.File("users.db-wal")));
}

TEST_F(UserdTest, ASignalBeforeItServesStopsItAtOnce) {
  UserdProcess userd({DatabaseFlag(), "--generate_users=20000000"});
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(directory_.File("users.db")); }));
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(absl::Seconds(10)), 128 + SIGTERM);
  EXPECT_THAT(userd.errors(), HasSubstr("stopped before it served"));
  EXPECT_EQ(userd.output(), "");

  // What it left behind is a database in its first state.
  UserdProcess again({DatabaseFlag(), "--sample_users"});
  ASSERT_TRUE(again.WaitUntilServing()) << again.errors();
  EXPECT_EQ(CountAll(again.address()), 5);
}

TEST_F(UserdTest, VacuumRebuildsTheDatabaseAndSaysSo) {
  UserdProcess first({DatabaseFlag(), "--sample_users"});
  ASSERT_TRUE(first.WaitUntilServing()) << first.errors();
  first.Signal(SIGTERM);
  EXPECT_EQ(first.WaitForExit(), 0);

  UserdProcess second({DatabaseFlag(), "--vacuum"});
  ASSERT_TRUE(second.WaitUntilServing()) << second.errors();
  EXPECT_EQ(CountAll(second.address()), 5);
  EXPECT_THAT(second.errors(),
              ContainsRegex("rebuilt [^ ]*users.db: [0-9]+ bytes instead of [0-9]+, in [0-9.]+ s"));
}

TEST_F(UserdTest, TheLogHasALineACallWithItsIdAndNeverAnAddress) {
  UserdProcess userd({DatabaseFlag(), "--log_level=debug"});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  UserServiceClient users(OwnConnection(userd.address()));
  users.Create("Ann Lee", "secret.address@example.com", 41);
  users::v1::CreateUserRequest taken;
  taken.mutable_user()->set_name("Bob");
  taken.mutable_user()->set_email("Secret.Address@example.com");
  const grpc::Status failed = users.Try(&Stub::CreateUser, taken);
  const std::string failed_id = DetailOf<google::rpc::RequestInfo>(failed)->request_id();
  users::v1::LookupUserRequest lookup;
  lookup.set_email("secret.nobody@example.com");
  EXPECT_EQ(Outcome(users.Try(&Stub::LookupUser, lookup)), "NOT_FOUND USER_NOT_FOUND");
  taken.mutable_user()->set_email("secret@@example.com");
  EXPECT_EQ(Outcome(users.Try(&Stub::CreateUser, taken)), "INVALID_ARGUMENT FIELD_INVALID");
  users::v1::CountUsersRequest count;
  count.set_filter("email = \"secret@example.com\" AND (");
  EXPECT_EQ(Outcome(users.Try(&Stub::CountUsers, count)), "INVALID_ARGUMENT FILTER_INVALID");
  EXPECT_EQ(users.ListAll({}).size(), 1U);
  grpc::ClientContext context;
  SetDeadline(context);
  context.AddMetadata("x-request-id", "order-4711");
  users::v1::GetUserRequest get;
  get.set_user_id(1);
  users::v1::User user;
  EXPECT_EQ(Outcome(users.stub().GetUser(&context, get, &user)), "OK");
  userd.Signal(SIGTERM);
  EXPECT_EQ(userd.WaitForExit(), 0);

  const std::string log = userd.errors();
  EXPECT_THAT(log, Not(HasSubstr("@")));
  EXPECT_THAT(log, Not(HasSubstr("ecret")));
  EXPECT_THAT(log, Not(HasSubstr("Ann Lee")));
  int calls = 0;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    if (!absl::StrContains(line, " id=")) continue;
    ++calls;
    EXPECT_THAT(
        std::string(line),
        MatchesRegex("[0-9-]*T[0-9:.]*Z debug [A-Za-z]+ [A-Z_/]+ [0-9.]+ ms id=[-0-9a-z]+"));
  }
  EXPECT_EQ(calls, 7) << log;
  EXPECT_THAT(log, HasSubstr("CreateUser ALREADY_EXISTS/EMAIL_TAKEN"));
  EXPECT_THAT(log, HasSubstr("id=" + failed_id));
  EXPECT_THAT(log, HasSubstr("id=order-4711"));
}

TEST_F(UserdTest, ADatabaseHasItsModeWhateverTheUmask) {
  UserdProcess userd({DatabaseFlag(), "--sample_users"});
  ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
  UserServiceClient(OwnConnection(userd.address())).Create("Ann", "ann@example.com");
  namespace fs = std::filesystem;
  for (const char* const name : {"users.db", "users.db-wal", "users.db-shm"}) {
    const fs::perms mode = fs::status(directory_.File(name)).permissions();
    EXPECT_EQ(static_cast<unsigned>(mode), 0640U) << name;
  }
}

}  // namespace
}  // namespace userservice
