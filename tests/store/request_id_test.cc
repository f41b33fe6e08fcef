// request_id and validate_only, over a real file.
#include <string>

#include "service/sqlite/query_scope.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

constexpr char kRepeatedId[] = "6f1c2a44-0d0f-4f5e-9d7a-2f0b7f3f9a01";

class RequestIdTest : public UserStoreTest {
 protected:
  UserUpdate Rename(const std::string& name) {
    UserUpdate update;
    update.values = MakeUser(name, "");
    update.values.set_user_id(1);
    update.set_name = true;
    return update;
  }
};

TEST_F(RequestIdTest, ARepeatedCreationReturnsTheFirstSuccess) {
  const absl::StatusOr<users::v1::User> first =
      Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId));
  ASSERT_TRUE(first.ok()) << first.status();
  now_ += absl::Hours(1);
  const absl::StatusOr<users::v1::User> again =
      Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  Reopen();
  EXPECT_EQ(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId))->SerializeAsString(),
            first->SerializeAsString());
  ASSERT_TRUE(Update(Rename("Anna")).ok());
  EXPECT_EQ(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId))->name(), "Ann")
      << "the first answer, not the row";
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(store().writer().committed().value(), 2) << "a repeat takes no revision";
}

TEST_F(RequestIdTest, ARepeatedUpdateReturnsTheFirstSuccess) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  const absl::StatusOr<users::v1::User> first = Update(Rename("Anna"), WithRequestId(kRepeatedId));
  ASSERT_TRUE(Update(Rename("Annette")).ok());
  Reopen();
  EXPECT_EQ(Update(Rename("Anna"), WithRequestId(kRepeatedId))->SerializeAsString(),
            first->SerializeAsString());
  EXPECT_EQ(Get(1)->name(), "Annette") << "and changes nothing a second time";
}

TEST_F(RequestIdTest, ARepeatedDeletionSucceedsAgain) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  EXPECT_EQ(ReasonOf(Delete(1, "", false, WithRequestId(kRepeatedId))), "OK");
  EXPECT_EQ(ReasonOf(Delete(1, "", false, WithRequestId(kRepeatedId))), "OK");
  Reopen();
  EXPECT_EQ(ReasonOf(Delete(1, "", false, WithRequestId(kRepeatedId))), "OK");
  EXPECT_EQ(ReasonOf(Delete(1)), "USER_NOT_FOUND");
}

TEST_F(RequestIdTest, TheSameIdForAnotherRequestIsRefused) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId, "one")).ok());
  EXPECT_EQ(
      ReasonOf(Create(MakeUser("Bob", "bob@x.org"), WithRequestId(kRepeatedId, "two")).status()),
      "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Update(Rename("Anna"), WithRequestId(kRepeatedId, "three")).status()),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Delete(1, "", false, WithRequestId(kRepeatedId, "four"))),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(Get(1)->name(), "Ann");
}

TEST_F(RequestIdTest, AFailureIsNotRemembered) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  EXPECT_EQ(ReasonOf(Create(MakeUser("Bob", "ann@x.org"), WithRequestId(kRepeatedId)).status()),
            "EMAIL_TAKEN");
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_TRUE(Create(MakeUser("Bob", "ann@x.org"), WithRequestId(kRepeatedId)).ok());
}

TEST_F(RequestIdTest, IsForgottenAfter24Hours) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId, "one")).ok());
  now_ += absl::Hours(24) - absl::Seconds(1);
  EXPECT_TRUE(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId, "one")).ok());
  now_ += absl::Seconds(2);
  EXPECT_EQ(
      ReasonOf(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId, "one")).status()),
      "EMAIL_TAKEN");
  EXPECT_TRUE(Create(MakeUser("Bob", "bob@x.org"), WithRequestId(kRepeatedId, "two")).ok());
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids"), 1) << "the old entry made room";
}

TEST_F(RequestIdTest, OldEntriesGoAsNewOnesCome) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(
        Create(MakeUser("n", absl::StrCat(i, "@x.org")), WithRequestId(absl::StrCat("id-", i)))
            .ok());
  }
  now_ += absl::Hours(25);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(
        Create(MakeUser("n", absl::StrCat(i, "@y.org")), WithRequestId(absl::StrCat("new-", i)))
            .ok());
  }
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids"), 10);
}

TEST_F(RequestIdTest, ARepeatedCreationOfAUserWhoWasDeletedGivesTheNumberAlone) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId)).ok());
  ASSERT_TRUE(Delete(1).ok());
  const absl::StatusOr<users::v1::User> again =
      Create(MakeUser("Ann", "ann@x.org"), WithRequestId(kRepeatedId));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->ShortDebugString(), "user_id: 1");
  EXPECT_EQ(Count(), 0) << "and does not bring the user back";
}

TEST_F(RequestIdTest, OneThatArrivesTwiceAtOnceIsDoneOnce) {
  HeldWriter held(store().writer());
  const std::vector<users::v1::User> ann = {MakeUser("Ann", "ann@x.org")};
  const WriteOptions options = WithRequestId(kRepeatedId);
  using StartedUsers = Started<absl::StatusOr<std::vector<users::v1::User>>>;
  StartedUsers one(store().CreateUsers(CallContext(), ann, options));
  StartedUsers two(store().CreateUsers(CallContext(), ann, options));
  held.Release();
  ASSERT_TRUE(one.Get().ok()) << one.Get().status();
  ASSERT_TRUE(two.Get().ok()) << two.Get().status();
  EXPECT_EQ(OnlyOf(one.Get())->SerializeAsString(), OnlyOf(two.Get())->SerializeAsString());
  EXPECT_EQ(Count(), 1);
}

TEST_F(RequestIdTest, OldOnesGoWhenTheStoreOpens) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org"), WithRequestId("old")).ok());
  now_ += absl::Hours(23);
  ASSERT_TRUE(Create(MakeUser("Bob", "bob@x.org"), WithRequestId("new")).ok());
  now_ += absl::Hours(1);
  Reopen();
  store();
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids"), 1);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids WHERE request_id = 'new'"), 1);
}

TEST_F(RequestIdTest, ValidateOnlyWritesNothing) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  const auto everything = [this] {
    return database_.Integer("SELECT count(*) + total(revision) FROM users") +
           database_.Integer("SELECT count(*) FROM tombstones") +
           database_.Integer("SELECT count(*) FROM request_ids") +
           database_.Integer("SELECT seq FROM sqlite_sequence WHERE name = 'users'");
  };
  const int64_t before = everything();
  WriteOptions options = WithRequestId(kRepeatedId);
  options.validate_only = true;

  const absl::StatusOr<users::v1::User> created = Create(MakeUser("Bob", "bob@x.org", 5), options);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->ShortDebugString(), "name: \"Bob\" email: \"bob@x.org\" age: 5");
  const absl::StatusOr<users::v1::User> updated = Update(Rename("Anna"), options);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->name(), "Anna");
  EXPECT_EQ(updated->etag(), "");
  EXPECT_EQ(ReasonOf(Delete(1, "", false, options)), "OK");

  EXPECT_EQ(everything(), before);
  EXPECT_EQ(Get(1)->name(), "Ann");
  EXPECT_EQ(store().writer().committed().value(), 1);
  EXPECT_TRUE(Create(MakeUser("Bob", "bob@x.org"), WithRequestId(kRepeatedId)).ok())
      << "the id is still new";
}

TEST_F(RequestIdTest, ValidateOnlyFindsWhatWouldFail) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  UserUpdate missing = Rename("Bob");
  missing.values.set_user_id(7);
  UserUpdate stale = Rename("Bob");
  stale.values.set_etag("\"9\"");
  EXPECT_EQ(ReasonOf(Create(MakeUser("Bob", "ann@x.org"), ValidateOnly()).status()), "EMAIL_TAKEN");
  EXPECT_EQ(ReasonOf(Update(missing, ValidateOnly()).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Update(stale, ValidateOnly()).status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Delete(7, "", false, ValidateOnly())), "USER_NOT_FOUND");
}

}  // namespace
}  // namespace userservice::store
