#include "service/store/sqlite_user_store.h"

#include <algorithm>
#include <string>
#include <vector>

#include "service/errors/errors.h"
#include "tests/store/python.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

std::string Text(const users::v1::User& user) { return user.ShortDebugString(); }

TEST_F(UserStoreTest, ServesWhatItStored) {
  const absl::StatusOr<users::v1::User> ann = Create(MakeUser("Ann", "ann@x.org", 30));
  ASSERT_TRUE(ann.ok()) << ann.status();
  EXPECT_EQ(Text(*ann),
            "user_id: 1 name: \"Ann\" email: \"ann@x.org\" age: 30 "
            "create_time { seconds: 1714564800 nanos: 123456000 } "
            "update_time { seconds: 1714564800 nanos: 123456000 } etag: \"\\\"1\\\"\"");
  EXPECT_EQ(Text(*Get(1)), Text(*ann));
  EXPECT_EQ(Text(*Lookup("ann@x.org")), Text(*ann));
  EXPECT_EQ(Text(BatchGet({1})->at(0)), Text(*ann));
  EXPECT_EQ(Text(List(Query("")).at(0)), Text(*ann));
  EXPECT_EQ(Count(), 1);
  const absl::StatusOr<users::v1::User> bob = Create(MakeUser("Bob", "bob@x.org"));
  EXPECT_EQ(bob->user_id(), 2);
  EXPECT_FALSE(bob->has_age());
  EXPECT_EQ(bob->etag(), "\"2\"");
  Reopen();
  EXPECT_EQ(Text(*Get(1)), Text(*ann));
  EXPECT_EQ(Text(*Get(2)), Text(*bob));
}

TEST_F(UserStoreTest, WhatIsAnsweredOfAWriteIsWhatIsReadAfterwards) {
  now_ = absl::FromUnixNanos(1'714'564'800'123'456'789);
  const absl::StatusOr<users::v1::User> ann = Create(MakeUser("Ann", "ann@x.org", 30));
  EXPECT_EQ(Text(*Get(1)), Text(*ann));
  now_ += absl::Nanoseconds(5'000'999);
  UserUpdate update;
  update.values = MakeUser("Anna", "anna@x.org");
  update.values.set_user_id(1);
  update.set_name = update.set_email = update.set_age = true;
  const absl::StatusOr<users::v1::User> anna = Update(update);
  ASSERT_TRUE(anna.ok()) << anna.status();
  EXPECT_FALSE(anna->has_age());
  EXPECT_EQ(Text(*Get(1)), Text(*anna));
}

TEST_F(UserStoreTest, NamesTheUserThatIsNotThere) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  UserUpdate update;
  update.values = MakeUser("Bob", "");
  update.values.set_user_id(7);
  update.set_name = true;
  EXPECT_EQ(ReasonOf(Get(7).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Get(-1).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Lookup("bob@x.org").status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(BatchGet({1, 7}).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Update(update).status()), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(7)), "USER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(7, "", /*allow_missing=*/true)), "OK");
  EXPECT_EQ(store().writer().committed().value(), 1) << "none of these changed anything";
}

TEST_F(UserStoreTest, AnEmailBelongsToOneUser) {
  database_.Execute("INSERT INTO users (name, email) VALUES ('old', 'Old@X.org')");
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  EXPECT_EQ(ReasonOf(Create(MakeUser("Bob", "ann@x.org")).status()), "EMAIL_TAKEN");
  EXPECT_EQ(ReasonOf(Create(MakeUser("Bob", "old@x.org")).status()), "EMAIL_TAKEN")
      << "whatever its case";
  EXPECT_EQ(Lookup("old@x.org")->email(), "Old@X.org") << "served as an older program wrote it";
  UserUpdate update;
  update.values = MakeUser("", "old@x.org");
  update.values.set_user_id(2);
  update.set_email = true;
  EXPECT_EQ(ReasonOf(Update(update).status()), "EMAIL_TAKEN");
  EXPECT_EQ(Get(2)->email(), "ann@x.org");
  update.values.set_user_id(1);
  EXPECT_EQ(Update(update)->email(), "old@x.org") << "its own, in another case";
  ASSERT_TRUE(Delete(2).ok());
  EXPECT_TRUE(Create(MakeUser("Bob", "ann@x.org")).ok()) << "free again";
  EXPECT_EQ(Count(), 2);
}

TEST_F(UserStoreTest, ANumberIsNeverGivenOutTwice) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_EQ(Create(MakeUser("Ann", "ann@x.org"))->user_id(), 2);
}

TEST_F(UserStoreTest, AnEtagMustMatchWhereItIsGiven) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  UserUpdate update;
  update.values = MakeUser("Anna", "");
  update.values.set_user_id(1);
  update.values.set_etag("\"9\"");
  update.set_name = true;
  EXPECT_EQ(ReasonOf(Update(update).status()), "ETAG_MISMATCH");
  update.values.set_etag("\"1\"");
  EXPECT_EQ(Update(update)->etag(), "\"2\"");
  EXPECT_EQ(ReasonOf(Update(update).status()), "ETAG_MISMATCH") << "it is another now";
  EXPECT_EQ(ReasonOf(Delete(1, "\"1\"")), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Delete(1, "\"2\"")), "OK");
}

TEST_F(UserStoreTest, AnUpdateChangesTheFieldsThatItNames) {
  database_.Execute("INSERT INTO users (name, email, age) VALUES ('  odd  ', 'not an email', 20)");
  now_ += absl::Seconds(1);
  UserUpdate update;
  update.values = MakeUser("ignored", "ignored", 21);
  update.values.set_user_id(1);
  update.set_age = true;
  const absl::StatusOr<users::v1::User> changed = Update(update);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->name(), "  odd  ");
  EXPECT_EQ(changed->email(), "not an email");
  EXPECT_EQ(changed->age(), 21);
  EXPECT_EQ(Text(*Get(1)), Text(*changed));
  const int64_t revision = store().writer().committed().value();
  EXPECT_EQ(Text(*Update(update)), Text(*changed)) << "the values are there already";
  EXPECT_EQ(store().writer().committed().value(), revision) << "so nothing changes";
}

TEST_F(UserStoreTest, ADeletionLeavesATombstoneWithItsRevision) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_EQ(ReasonOf(Get(1).status()), "USER_NOT_FOUND");
  EXPECT_EQ(database_.Integer("SELECT revision FROM tombstones WHERE user_id = 1"), 2);
  Reopen();
  EXPECT_EQ(Create(MakeUser("Bob", "bob@x.org"))->etag(), "\"3\"");
}

TEST_F(UserStoreTest, ABatchComesInTheOrderOfTheRequest) {
  for (int i = 1; i <= 40; ++i) ASSERT_TRUE(Create(MakeUser("n", absl::StrCat(i, "@x.org"))).ok());
  for (const size_t size : {0, 1, 2, 3, 16, 17, 40, 99, 100, 101, 199, 200, 999}) {
    std::vector<int64_t> ids;
    for (size_t i = 0; i < size; ++i) ids.push_back(40 - static_cast<int64_t>(i % 40));
    if (size > 1) ids.push_back(ids.front());  // a repeat is answered twice
    const absl::StatusOr<std::vector<users::v1::User>> users = BatchGet(ids);
    ASSERT_TRUE(users.ok()) << users.status();
    ASSERT_EQ(users->size(), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(users->at(i).user_id(), ids[i]);
    ids.push_back(99);
    EXPECT_EQ(ReasonOf(BatchGet(ids).status()), "USER_NOT_FOUND");
    ids[size / 2] = 98;
    EXPECT_EQ(BatchGet(ids).status(), errors::UserNotFound(98)) << "the first that is missing";
  }
}

TEST_F(UserStoreTest, SqlInNamesEmailsAndFiltersIsData) {
  const std::vector<std::string> strings = {"Robert'); DROP TABLE users;--",
                                            "' OR '1'='1",
                                            "\"; DELETE FROM users; --",
                                            "a%_*?[b]\\",
                                            "x' UNION SELECT value FROM service_state --",
                                            "?1",
                                            ":name",
                                            "$x",
                                            "\xE2\x82\xAC'"};
  for (size_t i = 0; i < strings.size(); ++i) {
    ASSERT_TRUE(Create(MakeUser(strings[i], strings[i] + "@x.org")).ok());
    const auto id = static_cast<int64_t>(i + 1);
    EXPECT_EQ(Get(id)->name(), strings[i]);
    EXPECT_EQ(Lookup(strings[i] + "@x.org")->user_id(), id);
    std::string literal;
    for (const char c : strings[i])
      absl::StrAppend(&literal, c == '"' || c == '\\' || c == '*' ? "\\" : "", std::string(1, c));
    EXPECT_EQ(ListIds(Query("name = \"" + literal + "\"")), std::vector<int64_t>{id}) << strings[i];
    EXPECT_EQ(Count("name : \"" + literal + "\""), 1) << strings[i];
    EXPECT_EQ(Count("name = \"" + literal + "*\" AND email = \"" + literal + "@x.org\""), 1)
        << strings[i];
  }
  EXPECT_EQ(Count(), static_cast<int64_t>(strings.size()));
  EXPECT_EQ(Count("name = \"' OR '1'='1' --\""), 0);
}

TEST_F(UserStoreTest, PythonReadsTheTimesThatItWrites) {
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org", 30)).ok());
  Reopen();
  EXPECT_EQ(RunPython(database_.path(),
                      "row = db.execute('SELECT name, email, age, created_at, date(created_at) "
                      "FROM users').fetchone()\n"
                      "print(row[0], row[1], row[2], row[3].isoformat(), row[4])"),
            "Ann ann@x.org 30 2024-05-01T12:00:00.123456 2024-05-01\n");
}

}  // namespace
}  // namespace userservice::store
