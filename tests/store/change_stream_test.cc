// What one who watches is given, message by message: etcd's guarantees, over a real database.
#include <set>

#include "async/stop.h"
#include "tests/store/user_store_fixture.h"
#include "tests/support/replica.h"

namespace userservice::store {
namespace {

using users::v1::User;
using users::v1::WatchUsersResponse;

class ChangeStreamTest : public UserStoreTest {
 protected:
  std::unique_ptr<ChangeStream> Watch(std::optional<int64_t> after_revision,
                                      const std::string& filter = "") {
    auto stream =
        BlockOn(store().WatchUsers(CallContext(), *Filter::Parse(filter), after_revision));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }
  static EncodedChanges NextBytes(ChangeStream& stream) {
    absl::StatusOr<EncodedChanges> message = BlockOn(stream.Next());
    EXPECT_TRUE(message.ok()) << message.status();
    return message.ok() ? *message : std::make_shared<const std::string>();
  }
  static WatchUsersResponse Next(ChangeStream& stream) {
    WatchUsersResponse message;
    EXPECT_TRUE(message.ParseFromString(*NextBytes(stream)));
    return message;
  }
  // Applies messages until the replica has come to the newest revision; how many they were.
  int CatchUp(ChangeStream& stream, Replica& replica) {
    int messages = 0;
    while (!replica.synced() || replica.revision() < newest()) {
      replica.Apply(Next(stream));
      ++messages;
    }
    return messages;
  }
  int64_t newest() { return store().writer().committed().value(); }

  std::vector<User> CreateMany(const std::string& prefix, int count) {
    std::vector<User> users;
    for (int i = 0; i < count; ++i)
      users.push_back(MakeUser(prefix, absl::StrCat(prefix, i, "@example.com"), i % 100));
    absl::StatusOr<std::vector<User>> created = CreateAll(users);
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }
  absl::StatusOr<User> Rename(int64_t user_id, const std::string& name) {
    UserUpdate update;
    update.values.set_user_id(user_id);
    update.values.set_name(name);
    update.set_name = true;
    return Update(update);
  }
};

TEST_F(ChangeStreamTest, FromNowOnIsSyncedAtOnceAndTellsWhatFollows) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  const auto stream = Watch(std::nullopt);
  const WatchUsersResponse first = Next(*stream);
  EXPECT_EQ(first.changes_size(), 0);
  EXPECT_EQ(first.revision(), 1);
  EXPECT_TRUE(first.synced());

  const absl::StatusOr<User> bob = Create(MakeUser("Bob", "bob@example.com"));
  const WatchUsersResponse second = Next(*stream);
  ASSERT_EQ(second.changes_size(), 1);
  EXPECT_EQ(second.changes(0).user().SerializeAsString(), bob->SerializeAsString());
  EXPECT_EQ(second.changes(0).revision(), 2);
  EXPECT_EQ(second.revision(), 2);
  EXPECT_TRUE(second.synced());

  ASSERT_TRUE(Delete(1).ok());
  const WatchUsersResponse third = Next(*stream);
  ASSERT_EQ(third.changes_size(), 1);
  EXPECT_EQ(third.changes(0).removed_user_id(), 1);
  EXPECT_EQ(third.revision(), 3);
}

TEST_F(ChangeStreamTest, ResumesAfterAnyRevisionWithTheLastChangeOfEach) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  ASSERT_TRUE(Create(MakeUser("Bob", "bob@example.com")).ok());
  ASSERT_TRUE(Create(MakeUser("Cid", "cid@example.com")).ok());
  ASSERT_TRUE(Rename(1, "Anna").ok());
  ASSERT_TRUE(Delete(2).ok());

  const auto stream = Watch(2);
  const WatchUsersResponse message = Next(*stream);
  ASSERT_EQ(message.changes_size(), 3);
  EXPECT_EQ(message.changes(0).user().name(), "Cid");
  EXPECT_EQ(message.changes(1).user().name(), "Anna");
  EXPECT_EQ(message.changes(2).removed_user_id(), 2);
  EXPECT_EQ(message.revision(), 5);
  EXPECT_TRUE(message.synced());

  const auto at_the_end = Watch(5);
  EXPECT_EQ(Next(*at_the_end).ShortDebugString(), "revision: 5 synced: true");
}

TEST_F(ChangeStreamTest, ABookmarkOutlivesTheServer) {
  CreateMany("a", 3);
  const int64_t bookmark = Next(*Watch(0)).revision();
  ASSERT_TRUE(Rename(1, "Renamed").ok());
  ASSERT_TRUE(Delete(2).ok());
  Reopen();
  const auto resumed = Watch(bookmark);
  const WatchUsersResponse message = Next(*resumed);
  ASSERT_EQ(message.changes_size(), 2);
  EXPECT_EQ(message.changes(0).user().name(), "Renamed");
  EXPECT_EQ(message.changes(1).removed_user_id(), 2);
}

TEST_F(ChangeStreamTest, FromZeroTellsOfEveryUserThereIsAndOfNoneThatIsGone) {
  const auto empty = Watch(0);
  EXPECT_EQ(Next(*empty).ShortDebugString(), "synced: true");

  CreateMany("a", 1000);
  CreateMany("b", 1000);
  ASSERT_TRUE(Delete(7).ok());
  ASSERT_TRUE(Rename(8, "Renamed").ok());
  const auto stream = Watch(0);
  Replica replica;
  EXPECT_EQ(CatchUp(*stream, replica), 2) << "pages";
  EXPECT_EQ(replica.changes(), 1999);
  EXPECT_EQ(replica.users(), AsReplica(List(Query(""))));

  Replica from_empty;
  CatchUp(*empty, from_empty);
  EXPECT_EQ(from_empty.users(), replica.users());
}

TEST_F(ChangeStreamTest, ARevisionIsNeverSplitHoweverManyRowsItHas) {
  const auto live = Watch(std::nullopt);
  Next(*live);
  CreateMany("a", 1000);
  const auto from_zero = Watch(0);
  for (ChangeStream* const stream : {live.get(), from_zero.get()}) {
    const WatchUsersResponse message = Next(*stream);
    EXPECT_EQ(message.changes_size(), 1000);
    EXPECT_EQ(message.revision(), 1);
    EXPECT_TRUE(message.synced());
  }
}

TEST_F(ChangeStreamTest, RowsThatOtherProgramsInsertedComeOnceAndInPages) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  database_.Execute(
      "INSERT INTO users (name, email) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM "
      "n WHERE i < 5000) SELECT 'Other', 'other' || i || '@example.com' FROM n");
  const auto stream = Watch(0);
  Replica replica;
  EXPECT_GT(CatchUp(*stream, replica), 3) << "pages";
  EXPECT_EQ(replica.changes(), 5001);
  EXPECT_EQ(replica.users(), AsReplica(List(Query(""))));
}

TEST_F(ChangeStreamTest, WithAFilterAChangedUserThatDoesNotMatchIsRemoved) {
  CreateMany("young", 1000);
  const absl::StatusOr<User> old = Create(MakeUser("Old", "old@example.com", 101));
  const auto stream = Watch(0, "age > 100");
  Replica replica;
  CatchUp(*stream, replica);
  EXPECT_EQ(replica.changes(), 1) << "who did not match at the beginning is not told of";
  EXPECT_EQ(replica.users(), AsReplica({*old}));

  ASSERT_TRUE(Rename(5, "Changed").ok());
  EXPECT_EQ(Next(*stream).changes(0).removed_user_id(), 5);
  UserUpdate younger;
  younger.values.set_user_id(old->user_id());
  younger.values.set_age(20);
  younger.set_age = true;
  ASSERT_TRUE(Update(younger).ok());
  EXPECT_EQ(Next(*stream).changes(0).removed_user_id(), old->user_id());

  // Who resumes may know any of them.
  const auto resumed = Watch(1, "age > 100");
  const WatchUsersResponse message = Next(*resumed);
  EXPECT_EQ(message.changes_size(), 2);
  EXPECT_FALSE(message.changes(0).has_user() || message.changes(1).has_user());
}

TEST_F(ChangeStreamTest, ARevisionOfTheFutureIsRefusedAndTheNewestIsNot) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  const auto future = BlockOn(store().WatchUsers(CallContext(), Filter(), 2));
  EXPECT_EQ(ReasonOf(future.status()), "REVISION_IN_FUTURE");
  EXPECT_TRUE(BlockOn(store().WatchUsers(CallContext(), Filter(), 1)).ok());
}

TEST_F(ChangeStreamTest, AnIdleStreamTellsHowFarItIs) {
  options_.feed.progress_interval = absl::Milliseconds(5);
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  const auto stream = Watch(1);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(Next(*stream).ShortDebugString(), "revision: 1 synced: true");
  ASSERT_TRUE(Create(MakeUser("Bob", "bob@example.com")).ok());
  Replica replica(1);
  CatchUp(*stream, replica);
  EXPECT_EQ(replica.changes(), 1);
}

TEST_F(ChangeStreamTest, AStoppedStreamEndsAndLeavesNothing) {
  std::stop_source source;
  {
    const auto stream = Watch(std::nullopt);
    Next(*stream);
    Started<absl::StatusOr<EncodedChanges>> waiting(stream->Next(), source.get_token());
    EXPECT_FALSE(waiting.is_done());
    source.request_stop();
    EXPECT_EQ(ReasonOf(waiting.Get().status()), "CALL_CANCELLED");
    EXPECT_EQ(store().open_resources().watches, 1u);
  }
  EXPECT_EQ(store().open_resources().watches, 0u);
}

TEST_F(ChangeStreamTest, StreamsThatHaveCaughtUpShareOneReadAndOneMessage) {
  std::vector<std::unique_ptr<ChangeStream>> streams;
  for (int i = 0; i < 100; ++i) {
    streams.push_back(Watch(std::nullopt));
    Next(*streams.back());
  }
  const ChangeFeed::Stats before = store().feed().stats();
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(Create(MakeUser("Ann", absl::StrCat("ann", round, "@example.com"))).ok());
    std::set<const std::string*> messages;
    for (const auto& stream : streams) messages.insert(NextBytes(*stream).get());
    EXPECT_EQ(messages.size(), 1u);
  }
  const ChangeFeed::Stats after = store().feed().stats();
  EXPECT_EQ(after.table_reads - before.table_reads, 20);
  EXPECT_EQ(after.messages - before.messages, 20);
}

TEST_F(ChangeStreamTest, WhoFallsBehindTheRingReadsTheTableAndThenSharesAgain) {
  options_.feed.ring_bytes_max = 10'000;
  const auto slow = Watch(0);
  const auto quick = Watch(0);
  Replica slow_replica;
  Replica quick_replica;
  CatchUp(*slow, slow_replica);
  for (int round = 0; round < 200; ++round) {
    CreateMany(absl::StrCat("u", round, "n"), 5);
    ASSERT_TRUE(Delete(round * 5 + 2).ok());
    CatchUp(*quick, quick_replica);
    EXPECT_LE(store().feed().stats().ring_bytes, 10'000u);
  }
  const int messages = CatchUp(*slow, slow_replica);
  EXPECT_LT(messages, 10) << "pages of the table";
  EXPECT_EQ(slow_replica.users(), AsReplica(List(Query(""))));
  EXPECT_EQ(slow_replica.users(), quick_replica.users());

  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  EXPECT_EQ(NextBytes(*slow), NextBytes(*quick));
}

TEST_F(ChangeStreamTest, WithoutAFollowerTheFeedReadsAndKeepsNothing) {
  {
    const auto stream = Watch(0);
  }
  const int64_t reads = store().feed().stats().table_reads;
  CreateMany("a", 10);
  EXPECT_EQ(store().feed().stats().table_reads, reads);
  const auto stream = Watch(0);
  Replica replica;
  CatchUp(*stream, replica);
  EXPECT_EQ(replica.users().size(), 10u);
}

TEST_F(ChangeStreamTest, WhatIsCommittedWhileTheFeedRestsIsToldTogether) {
  options_.feed.rest_per_follower = absl::Seconds(1);
  const auto stream = Watch(std::nullopt);
  Next(*stream);
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@example.com")).ok());
  EXPECT_EQ(Next(*stream).changes_size(), 1);
  ASSERT_TRUE(Create(MakeUser("Bob", "bob@example.com")).ok());
  ASSERT_TRUE(Create(MakeUser("Cid", "cid@example.com")).ok());
  EXPECT_EQ(Next(*stream).changes_size(), 2);
}

TEST_F(ChangeStreamTest, OldMessagesLeaveTheRingByThemselves) {
  options_.feed.progress_interval = absl::Milliseconds(2);
  const auto stream = Watch(0);
  Next(*stream);
  CreateMany("a", 10);
  Replica replica;
  CatchUp(*stream, replica);
  while (store().feed().stats().ring_bytes > 0) Next(*stream);
}

}  // namespace
}  // namespace userservice::store
