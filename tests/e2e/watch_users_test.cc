// WatchUsers as a client sees it: etcd's six guarantees, its errors, and how it ends.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/user_service_client.h"
#include "tests/support/eventually.h"
#include "tests/support/replica.h"

namespace userservice {
namespace {

using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

// One open stream.
class WatchCall {
 public:
  WatchCall(UserServiceClient& users, std::optional<int64_t> after_revision,
            const std::string& filter = "", absl::Duration timeout = absl::Seconds(60)) {
    SetDeadline(context_, timeout);
    WatchUsersRequest request;
    if (after_revision.has_value()) request.set_after_revision(*after_revision);
    request.set_filter(filter);
    reader_ = users.stub().WatchUsers(&context_, request);
  }

  WatchUsersResponse Next() {
    WatchUsersResponse message;
    EXPECT_TRUE(reader_->Read(&message)) << Outcome(reader_->Finish());
    return message;
  }
  // Until the replica has come to the revision.
  void CatchUp(int64_t revision, Replica& replica) {
    while (!replica.synced() || replica.revision() < revision) replica.Apply(Next());
  }
  // Whatever still comes, and then the status.
  grpc::Status End() {
    for (WatchUsersResponse message; reader_->Read(&message);) {
    }
    return reader_->Finish();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<WatchUsersResponse>> reader_;
};

int64_t RevisionOf(const users::v1::User& user) {
  return std::stoll(user.etag().substr(1, user.etag().size() - 2));
}

TEST(WatchUsersTest, TellsOfEachChangeInOrderAndOnce) {
  LocalApp app;
  UserServiceClient users(app.Connect());
  WatchCall watch(users, std::nullopt);
  EXPECT_EQ(watch.Next().ShortDebugString(), "synced: true");

  const users::v1::User ann = users.Create("Ann", "ann@example.com", 41);
  WatchUsersResponse message = watch.Next();
  ASSERT_EQ(message.changes_size(), 1);
  EXPECT_EQ(message.changes(0).user().SerializeAsString(), ann.SerializeAsString());
  EXPECT_EQ(message.changes(0).revision(), RevisionOf(ann));

  users::v1::DeleteUserRequest remove;
  remove.set_user_id(ann.user_id());
  EXPECT_EQ(Outcome(users.Try<users::v1::DeleteUserRequest, google::protobuf::Empty>(
                &Stub::DeleteUser, remove)),
            "OK");
  message = watch.Next();
  ASSERT_EQ(message.changes_size(), 1);
  EXPECT_EQ(message.changes(0).removed_user_id(), ann.user_id());
  EXPECT_EQ(message.revision(), 2);
}

TEST(WatchUsersTest, ABatchIsOneMessage) {
  LocalApp app;
  UserServiceClient users(app.Connect());
  WatchCall live(users, std::nullopt);
  live.Next();
  users::v1::BatchCreateUsersRequest request;
  const std::string longest(100, 'n');
  for (int i = 0; i < 1000; ++i) {
    users::v1::User* const user = request.add_requests()->mutable_user();
    user->set_name(longest);
    user->set_email(absl::StrCat("user", i, "@", std::string(60, 'e'), ".", std::string(60, 'c')));
  }
  users::v1::BatchCreateUsersResponse created;
  ASSERT_EQ(Outcome(users.Call(&Stub::BatchCreateUsers, request, &created)), "OK");
  WatchCall from_zero(users, 0);
  for (WatchCall* const watch : {&live, &from_zero}) {
    const WatchUsersResponse message = watch->Next();
    EXPECT_EQ(message.changes_size(), 1000);
    EXPECT_EQ(message.revision(), 1);
  }
}

TEST(WatchUsersTest, ResumesFromAnyBookmark) {
  Config config;
  config.generate_users = 2000;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  Replica replica;
  int streams = 0;
  for (; !replica.synced(); ++streams) {  // each reads one page
    replica.Resume();
    WatchCall watch(users, replica.revision());
    replica.Apply(watch.Next());
    watch.Cancel();
    EXPECT_EQ(Outcome(watch.End()), "CANCELLED");
  }
  EXPECT_GT(streams, 2);
  EXPECT_EQ(replica.users(), AsReplica(users.ListAll(users::v1::ListUsersRequest())));
}

TEST(WatchUsersTest, AnIdleWatchBringsBookmarks) {
  Config config;
  config.sample_users = true;
  config.watch_progress_ms = 5;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  WatchCall watch(users, 5);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(watch.Next().ShortDebugString(), "revision: 5 synced: true");
}

TEST(WatchUsersTest, AFilterMeansWhatItMeansInLists) {
  Config config;
  config.generate_users = 500;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  const std::string filter = "age >= 50 AND (name:\"a\" OR name = \"*i*\")";
  WatchCall watch(users, 0, filter);
  Replica replica;
  watch.CatchUp(500, replica);
  users::v1::ListUsersRequest list;
  list.set_filter(filter);
  EXPECT_EQ(replica.users(), AsReplica(users.ListAll(list)));

  for (int32_t id = 1; id <= 100; ++id) {
    users::v1::UpdateUserRequest update;
    update.mutable_user()->set_user_id(id);
    update.mutable_user()->set_age(id % 2 == 0 ? 60 : 40);
    (void)users.Try<users::v1::UpdateUserRequest, users::v1::User>(&Stub::UpdateUser, update);
  }
  const users::v1::User last = users.Create("Last", "last@example.com", 99);
  watch.CatchUp(RevisionOf(last), replica);
  EXPECT_EQ(replica.users(), AsReplica(users.ListAll(list)));
}

TEST(WatchUsersTest, RefusesWhatItCanNotDo) {
  Config config;
  config.sample_users = true;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  const auto outcome = [&](std::optional<int64_t> after, const std::string& filter) {
    return WatchCall(users, after, filter).End();
  };
  grpc::Status status = outcome(6, "");
  EXPECT_EQ(Outcome(status), "OUT_OF_RANGE REVISION_IN_FUTURE");
  EXPECT_EQ(InfoOf(status).metadata().at("newest_revision"), "5");
  EXPECT_EQ(Outcome(outcome(0, "age >")), "INVALID_ARGUMENT FILTER_INVALID");
  status = outcome(-1, "");
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT FIELD_INVALID");
  EXPECT_EQ(ViolatedFields(status), std::vector<std::string>{"after_revision"});
  EXPECT_TRUE(app.IsIdle());
}

TEST(WatchUsersTest, ARevisionThatWasCompactedIsRefusedWithTheOldestThatIsNot) {
  Config config;
  config.sample_users = true;
  config.tombstones_max = 1;
  config.tombstone_interval_ms = 5;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  for (int64_t id = 1; id <= 3; ++id) {
    users::v1::DeleteUserRequest remove;
    remove.set_user_id(id);
    ASSERT_EQ(Outcome(users.Try<users::v1::DeleteUserRequest, google::protobuf::Empty>(
                  &Stub::DeleteUser, remove)),
              "OK");
  }
  const auto oldest = [&]() -> std::string {
    WatchCall watch(users, 5);
    watch.Cancel();
    const grpc::Status status = watch.End();
    return Outcome(status) == "OUT_OF_RANGE REVISION_COMPACTED"
               ? InfoOf(status).metadata().at("oldest_revision")
               : "";
  };
  EXPECT_TRUE(Eventually([&] { return oldest() == "7"; }));
  WatchCall watch(users, 7);
  const WatchUsersResponse message = watch.Next();
  ASSERT_EQ(message.changes_size(), 1);
  EXPECT_EQ(message.changes(0).removed_user_id(), 3);
}

TEST(WatchUsersTest, EndsByCancelDeadlineAndDrainAndLeavesNothing) {
  LocalApp app;
  UserServiceClient users(app.Connect());
  {
    WatchCall cancelled(users, 0);
    cancelled.Next();
    cancelled.Cancel();
    EXPECT_EQ(Outcome(cancelled.End()), "CANCELLED");
  }
  {
    WatchCall late(users, 0, "", absl::Milliseconds(100));
    EXPECT_EQ(late.End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_TRUE(app.IsIdle());

  WatchCall drained(users, 0);
  drained.Next();
  const absl::Time begun = absl::Now();
  app.app().Stop();
  EXPECT_EQ(Outcome(drained.End()), "UNAVAILABLE SHUTTING_DOWN");
  EXPECT_LT(absl::Now() - begun, absl::Seconds(8)) << "an idle watch held the drain";
}

TEST(WatchUsersTest, AsManyAsThereMayBeAndNoMore) {
  Config config;
  config.server.streams_max = 2;
  LocalApp app(config);
  UserServiceClient users(app.Connect());
  WatchCall one(users, 0);
  WatchCall two(users, 0, "age > 3");
  one.Next();
  two.Next();
  EXPECT_EQ(Outcome(WatchCall(users, 0).End()), "RESOURCE_EXHAUSTED TOO_MANY_STREAMS");
  one.Cancel();
  two.Cancel();
  (void)one.End();
  (void)two.End();
  EXPECT_TRUE(app.IsIdle());
}

}  // namespace
}  // namespace userservice
