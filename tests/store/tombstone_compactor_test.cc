// Tombstones go by age and by number, and nobody who would have needed one is left unaware.
#include "service/store/tombstone_compactor.h"

#include "tests/store/user_store_fixture.h"
#include "tests/support/replica.h"

namespace userservice::store {
namespace {

using users::v1::WatchUsersResponse;

class TombstoneCompactorTest : public UserStoreTest {
 protected:
  void CreateUsers(int count) {
    for (int i = 0; i < count; i += 1000) {
      std::vector<users::v1::User> users;
      for (int n = i; n < std::min(i + 1000, count); ++n)
        users.push_back(MakeUser("Ann", absl::StrCat("ann", n, "@example.com")));
      ASSERT_TRUE(CreateAll(users).ok());
    }
  }
  void DeleteUsers(int64_t from, int64_t to) {
    std::vector<UserRemoval> removals;
    for (int64_t id = from; id <= to; ++id) removals.emplace_back(id, "", false);
    ASSERT_TRUE(DeleteAll(removals).ok());
  }
  int64_t Compact() {
    const absl::StatusOr<int64_t> dropped = store().tombstones().Compact();
    EXPECT_TRUE(dropped.ok()) << dropped.status();
    return dropped.value_or(-1);
  }
  int64_t tombstones() { return database_.Integer("SELECT count(*) FROM tombstones"); }
  int64_t compacted() {
    return database_.Integer(
        "SELECT CAST(value AS INTEGER) FROM service_state WHERE key = 'compacted_revision'");
  }
  // The first message, or why there is none.
  absl::StatusOr<WatchUsersResponse> Watch(int64_t after_revision) {
    auto stream = BlockOn(store().WatchUsers(CallContext(), Filter(), after_revision));
    if (!stream.ok()) return stream.status();
    const absl::StatusOr<EncodedChanges> bytes = BlockOn((*stream)->Next());
    if (!bytes.ok()) return bytes.status();
    WatchUsersResponse message;
    EXPECT_TRUE(message.ParseFromString(**bytes));
    return message;
  }
};

TEST_F(TombstoneCompactorTest, DropsThoseThatAreOlderThanADay) {
  CreateUsers(10);  // revision 1
  DeleteUsers(1, 1);
  now_ += absl::Hours(1);
  DeleteUsers(2, 2);
  EXPECT_EQ(Compact(), 0);
  now_ += absl::Hours(23) + absl::Seconds(1);
  EXPECT_EQ(Compact(), 1);
  EXPECT_EQ(compacted(), 2);
  EXPECT_EQ(tombstones(), 1);
  EXPECT_EQ(Compact(), 0);
  now_ += absl::Hours(2);
  EXPECT_EQ(Compact(), 1);
  EXPECT_EQ(compacted(), 3);
  EXPECT_EQ(store().writer().committed().value(), 3) << "it takes no revision";
}

TEST_F(TombstoneCompactorTest, KeepsTheNewestByNumber) {
  options_.tombstones.count_max = 3;
  CreateUsers(10);
  for (int64_t id = 1; id <= 5; ++id) DeleteUsers(id, id);
  EXPECT_EQ(Compact(), 2);
  EXPECT_EQ(tombstones(), 3);
  EXPECT_EQ(compacted(), 3);
  EXPECT_EQ(Compact(), 0);
}

TEST_F(TombstoneCompactorTest, DropsManyInTransactionsOfAThousand) {
  CreateUsers(3500);
  for (int64_t id = 1; id <= 3001; id += 1000) DeleteUsers(id, std::min<int64_t>(id + 999, 3500));
  now_ += absl::Hours(25);
  const int64_t batches = store().writer().stats().batches;
  EXPECT_EQ(Compact(), 3500);
  EXPECT_EQ(tombstones(), 0);
  EXPECT_EQ(store().writer().stats().batches - batches, 4);
}

TEST_F(TombstoneCompactorTest, WhoWouldHaveNeededOneIsTold) {
  CreateUsers(10);
  DeleteUsers(1, 1);
  DeleteUsers(2, 2);
  now_ += absl::Hours(25);
  DeleteUsers(3, 3);
  EXPECT_EQ(Compact(), 2);

  EXPECT_EQ(ReasonOf(Watch(1).status()), "REVISION_COMPACTED");
  EXPECT_EQ(ReasonOf(Watch(2).status()), "REVISION_COMPACTED");
  const absl::StatusOr<WatchUsersResponse> oldest = Watch(3);
  ASSERT_TRUE(oldest.ok()) << oldest.status();
  ASSERT_EQ(oldest->changes_size(), 1);
  EXPECT_EQ(oldest->changes(0).removed_user_id(), 3);
  const absl::StatusOr<WatchUsersResponse> from_zero = Watch(0);
  ASSERT_TRUE(from_zero.ok()) << from_zero.status();
  EXPECT_EQ(from_zero->changes_size(), 7);
}

TEST_F(TombstoneCompactorTest, AStreamThatIsOvertakenIsToldAndMissesNothingInSilence) {
  CreateUsers(10);
  auto stream = BlockOn(store().WatchUsers(CallContext(), Filter(), 1));
  DeleteUsers(1, 1);
  now_ += absl::Hours(25);
  EXPECT_EQ(Compact(), 1);
  // The feed may have read the deletion in time, or still be at the revision before it.
  for (;;) {
    const absl::StatusOr<EncodedChanges> bytes = BlockOn((*stream)->Next());
    if (!bytes.ok()) {
      EXPECT_EQ(ReasonOf(bytes.status()), "REVISION_COMPACTED");
      break;
    }
    WatchUsersResponse message;
    ASSERT_TRUE(message.ParseFromString(**bytes));
    if (message.revision() == 1) continue;
    ASSERT_EQ(message.changes_size(), 1);
    EXPECT_EQ(message.changes(0).removed_user_id(), 1);
    break;
  }
}

TEST_F(TombstoneCompactorTest, ACompactionBeforeAWatchFromZeroBeganDoesNotEndIt) {
  CreateUsers(3000);
  DeleteUsers(1, 1);
  now_ += absl::Hours(25);
  EXPECT_EQ(Compact(), 1);
  auto stream = BlockOn(store().WatchUsers(CallContext(), Filter(), 0));
  Replica replica;
  while (!replica.synced()) {
    const absl::StatusOr<EncodedChanges> bytes = BlockOn((*stream)->Next());
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    WatchUsersResponse message;
    ASSERT_TRUE(message.ParseFromString(**bytes));
    replica.Apply(message);
  }
  EXPECT_EQ(replica.users().size(), 2999u);
}

TEST_F(TombstoneCompactorTest, TheNewestRevisionOutlivesItsTombstone) {
  CreateUsers(1);
  DeleteUsers(1, 1);
  now_ += absl::Hours(25);
  EXPECT_EQ(Compact(), 1);
  Reopen();
  EXPECT_EQ(store().writer().committed().value(), 2);
}

}  // namespace
}  // namespace userservice::store
