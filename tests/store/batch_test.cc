// Writes of several users: all or nothing, under one revision, and once for their request_id.
#include <string>
#include <vector>

#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

constexpr char kId[] = "6f1c2a44-0d0f-4f5e-9d7a-2f0b7f3f9a01";

class BatchTest : public UserStoreTest {
 protected:
  static std::vector<users::v1::User> People(int count, const std::string& domain = "x.org") {
    std::vector<users::v1::User> users;
    for (int i = 0; i < count; ++i)
      users.push_back(MakeUser(absl::StrCat("N", i), absl::StrCat("u", i, "@", domain), i % 151));
    return users;
  }
  static UserUpdate Rename(int64_t user_id, const std::string& name, const std::string& etag = "") {
    UserUpdate update;
    update.values = MakeUser(name, "");
    update.values.set_user_id(user_id);
    update.values.set_etag(etag);
    update.set_name = true;
    return update;
  }
  static std::vector<std::string> Serialized(const std::vector<users::v1::User>& users) {
    std::vector<std::string> all;
    all.reserve(users.size());
    for (const users::v1::User& user : users) all.push_back(user.SerializeAsString());
    return all;
  }
  int64_t revision() { return store().writer().committed().value(); }
  int64_t LoggedRows() { return database_.Integer("SELECT count(*) FROM request_ids"); }
};

TEST_F(BatchTest, TakesOneRevisionAndAnswersInOrder) {
  const absl::StatusOr<std::vector<users::v1::User>> created = CreateAll(People(1000));
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_EQ(created->size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ((*created)[i].email(), absl::StrCat("u", i, "@x.org"));
    EXPECT_EQ((*created)[i].etag(), "\"1\"");
    EXPECT_EQ(Get((*created)[i].user_id())->SerializeAsString(), (*created)[i].SerializeAsString());
  }
  EXPECT_EQ(revision(), 1);
  const absl::StatusOr<std::vector<users::v1::User>> updated =
      UpdateAll({Rename(1, "one"), Rename(2, "two"), Rename(1, "once more")});
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ((*updated)[0].name(), "once more") << "what goes with the etag";
  EXPECT_EQ(revision(), 2);
  EXPECT_EQ(Get(1)->name(), "once more") << "in order";
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {2, "\"2\"", false}, {9999, "", true}})), "OK");
  EXPECT_EQ(revision(), 3);
  EXPECT_EQ(Count(), 998);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM tombstones WHERE revision = 3"), 2);
}

TEST_F(BatchTest, OneFailureLeavesNothingOfTheOthers) {
  ASSERT_TRUE(CreateAll(People(3)).ok());
  std::vector<users::v1::User> taken = People(4, "y.org");
  taken[3].set_email("u1@x.org");
  EXPECT_EQ(ReasonOf(CreateAll(taken).status()), "EMAIL_TAKEN");
  std::vector<users::v1::User> twice = People(2, "y.org");
  twice[1].set_email(twice[0].email());
  EXPECT_EQ(ReasonOf(CreateAll(twice).status()), "EMAIL_TAKEN") << "among themselves";
  EXPECT_EQ(ReasonOf(UpdateAll({Rename(1, "new"), Rename(7, "new")}).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(UpdateAll({Rename(1, "new"), Rename(2, "new", "\"9\"")}).status()),
            "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {1, "", false}})), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {2, "\"9\"", false}})), "ETAG_MISMATCH");
  EXPECT_EQ(Count(), 3);
  EXPECT_EQ(Get(1)->name(), "N0");
  EXPECT_EQ(revision(), 1) << "what failed takes no revision";
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM tombstones"), 0);
}

TEST_F(BatchTest, OfNobodyChangesNothing) {
  EXPECT_TRUE(CreateAll({})->empty());
  EXPECT_TRUE(UpdateAll({}, WithRequestId(kId))->empty());
  EXPECT_TRUE(UpdateAll({}, WithRequestId(kId))->empty());
  EXPECT_EQ(ReasonOf(DeleteAll({})), "OK");
  EXPECT_EQ(revision(), 0);
}

TEST_F(BatchTest, ARepeatReturnsTheFirstSuccess) {
  const absl::StatusOr<std::vector<users::v1::User>> first =
      CreateAll(People(300), WithRequestId(kId));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(UpdateAll({Rename(1, "new"), Rename(2, "new")}).ok());
  Reopen();
  const absl::StatusOr<std::vector<users::v1::User>> again =
      CreateAll(People(300), WithRequestId(kId));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Serialized(*again), Serialized(*first));
  EXPECT_EQ(Count(), 300);
  EXPECT_EQ(revision(), 2);
  EXPECT_EQ(ReasonOf(CreateAll(People(1), WithRequestId(kId, "another")).status()),
            "REQUEST_ID_REUSED");

  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {2, "", false}}, WithRequestId("d"))), "OK");
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {2, "", false}}, WithRequestId("d"))), "OK");
  const absl::StatusOr<std::vector<users::v1::User>> late =
      CreateAll(People(300), WithRequestId(kId));
  ASSERT_TRUE(late.ok()) << late.status();
  EXPECT_EQ((*late)[1].ShortDebugString(), "user_id: 2") << "the number of who is gone";
  EXPECT_EQ((*late)[2].SerializeAsString(), (*first)[2].SerializeAsString());
}

TEST_F(BatchTest, ADeletionErasesItsUserAloneFromTheLogOfABatch) {
  ASSERT_TRUE(CreateAll(People(3), WithRequestId(kId)).ok());
  ASSERT_TRUE(Delete(2).ok());
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids WHERE response IS NULL"), 1);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids WHERE response IS NULL AND "
                              "user_id = 2"),
            1);
}

TEST_F(BatchTest, AnIdThatIsUsedAgainAfterItsTimeForgetsALargerBatch) {
  ASSERT_TRUE(CreateAll(People(9), WithRequestId(kId)).ok());
  now_ += absl::Hours(25);
  const absl::StatusOr<std::vector<users::v1::User>> first =
      CreateAll(People(2, "y.org"), WithRequestId(kId));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Serialized(*CreateAll(People(2, "y.org"), WithRequestId(kId))), Serialized(*first));
}

TEST_F(BatchTest, TheLogOfBatchesIsEmptiedAsFastAsItFills) {
  ASSERT_TRUE(CreateAll(People(400), WithRequestId("old")).ok());
  EXPECT_EQ(LoggedRows(), 400);
  now_ += absl::Hours(25);
  ASSERT_TRUE(CreateAll(People(100, "y.org"), WithRequestId("new")).ok());
  EXPECT_EQ(LoggedRows(), 100);
}

TEST_F(BatchTest, ValidateOnlyWritesNothing) {
  ASSERT_TRUE(CreateAll(People(2)).ok());
  WriteOptions options = WithRequestId(kId);
  options.validate_only = true;
  const absl::StatusOr<std::vector<users::v1::User>> created =
      CreateAll(People(3, "y.org"), options);
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_EQ(created->size(), 3u);
  EXPECT_EQ((*created)[2].ShortDebugString(), "name: \"N2\" email: \"u2@y.org\" age: 2");
  const absl::StatusOr<std::vector<users::v1::User>> updated =
      UpdateAll({Rename(1, "one"), Rename(2, "two")}, options);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ((*updated)[1].name(), "two");
  EXPECT_EQ((*updated)[1].etag(), "");
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {2, "", false}}, options)), "OK");
  EXPECT_EQ(ReasonOf(DeleteAll({{1, "", false}, {1, "", false}}, options)), "USER_NOT_FOUND");
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(Get(1)->name(), "N0");
  EXPECT_EQ(revision(), 1);
  EXPECT_EQ(LoggedRows(), 0);
}

TEST_F(BatchTest, OfEveryUserErasesThemAll) {
  ASSERT_TRUE(CreateAll(People(1000)).ok());
  std::vector<UserRemoval> removals;
  for (int64_t id = 1; id <= 1000; ++id) removals.emplace_back(id, "", false);
  EXPECT_EQ(ReasonOf(DeleteAll(removals, WithRequestId(kId))), "OK");
  EXPECT_EQ(Count(), 0);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM tombstones WHERE revision = 2"), 1000);
}

TEST_F(BatchTest, AnImportStoresWhatItCanAndRepeatsItsFirstOutcome) {
  ASSERT_TRUE(Create(MakeUser("Taken", "u1@x.org")).ok());
  const absl::StatusOr<UserImport> first = Import(People(4), WithRequestId(kId));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->taken, std::vector<int>{1});
  EXPECT_EQ(first->revision, 2);
  EXPECT_EQ(Count(), 4);
  ASSERT_TRUE(Delete(1).ok());
  Reopen();
  const absl::StatusOr<UserImport> again = Import(People(4), WithRequestId(kId));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->taken, first->taken);
  EXPECT_EQ(again->revision, first->revision);
  EXPECT_EQ(Count(), 3);
  EXPECT_EQ(ReasonOf(Import(People(3), WithRequestId(kId, "another")).status()),
            "REQUEST_ID_REUSED");
}

TEST_F(BatchTest, AnImportOfNobodyNewTakesNoRevision) {
  ASSERT_TRUE(CreateAll(People(3)).ok());
  const absl::StatusOr<UserImport> none = Import(People(3), WithRequestId(kId));
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->taken.size(), 3u);
  EXPECT_EQ(none->revision, 0);
  EXPECT_EQ(revision(), 1);
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_EQ(Import(People(3), WithRequestId(kId))->taken.size(), 3u) << "the first outcome";
  EXPECT_EQ(revision(), 2);
}

TEST_F(BatchTest, AnImportKeepsNoPersonalDataInTheLog) {
  ASSERT_TRUE(CreateAll(People(3)).ok());
  ASSERT_TRUE(Import(People(6), WithRequestId(kId)).ok());
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids WHERE instr(response, 'x.org')"),
            0);
  EXPECT_EQ(LoggedRows(), 1);
}

}  // namespace
}  // namespace userservice::store
