// A deletion erases a user's personal data from every file.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "service/sqlite/query_scope.h"
#include "tests/store/user_store_fixture.h"
#include "tests/support/erased_texts.h"
#include "tests/support/eventually.h"
#include "tests/support/sanitized.h"

namespace userservice::store {
namespace {

using ::testing::IsEmpty;

// Whether the bytes stand in the database or its log.
bool IsAnywhere(const std::string& path, const std::string& bytes) {
  for (const std::string suffix : {"", "-wal", "-journal"}) {
    std::ifstream file(path + suffix, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
    if (content.find(bytes) != std::string::npos) return true;
  }
  return false;
}

class ErasureTest : public UserStoreTest {
 protected:
  bool IsStored(const std::string& bytes) const { return IsAnywhere(database_.path(), bytes); }
  // It takes a checkpoint after the commit.
  void AwaitErased(const std::string& bytes) const {
    const absl::Time end = absl::Now() + absl::Seconds(30);
    while (IsStored(bytes) && absl::Now() < end) std::this_thread::yield();
    EXPECT_FALSE(IsStored(bytes)) << bytes;
  }
};

TEST_F(ErasureTest, ADeletedUserIsInNoFileAnyMore) {
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(Create(MakeUser("Other", absl::StrCat("other", i, "@x.org"))).ok());
  const absl::StatusOr<users::v1::User> user =
      Create(MakeUser("Personal Name", "personal@example.com", 77), WithRequestId("create"));
  ASSERT_TRUE(user.ok()) << user.status();
  UserUpdate update;
  update.values = *user;
  update.values.set_email("changed@example.com");
  update.values.clear_etag();
  update.set_email = true;
  ASSERT_TRUE(Update(update, WithRequestId("update")).ok());
  for (const std::string bytes : {"Personal Name", "personal@example.com", "changed@example.com"}) {
    EXPECT_TRUE(IsStored(bytes)) << "or this test looks in the wrong place: " << bytes;
  }
  ASSERT_TRUE(Delete(user->user_id(), "", false, WithRequestId("delete")).ok());
  for (const std::string bytes : {"Personal Name", "personal@example.com", "changed@example.com"})
    AwaitErased(bytes);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids WHERE response IS NOT NULL"), 0);
  EXPECT_EQ(database_.Integer("SELECT count(*) FROM request_ids"), 3) << "the ids stay";
  EXPECT_EQ(Count(), 20);
}

TEST_F(ErasureTest, WaitsForAReaderThatStillSeesTheUser) {
  ASSERT_TRUE(Create(MakeUser("Ann", "personal@example.com")).ok());
  const std::unique_ptr<sqlite::Connection> reader = database_.Connect();
  ASSERT_TRUE(reader->Execute("BEGIN; SELECT count(*) FROM users").ok());
  ASSERT_TRUE(Delete(1).ok());
  EXPECT_TRUE(Create(MakeUser("Bob", "bob@x.org")).ok()) << "writes go on meanwhile";
  EXPECT_TRUE(IsStored("personal@example.com"));
  ASSERT_TRUE(reader->Execute("COMMIT").ok());
  AwaitErased("personal@example.com");
}

TEST_F(ErasureTest, HoldsAcrossAReopening) {
  ASSERT_TRUE(Create(MakeUser("Ann", "personal@example.com")).ok());
  ASSERT_TRUE(Delete(1).ok());
  Reopen();
  EXPECT_FALSE(IsStored("personal@example.com"));
}

// Users of random values, written and deleted in random order in each of the ways there are, and
// what the store should hold after them.
class RandomUsers {
 public:
  RandomUsers(SqliteUserStore& store, uint64_t seed) : store_(store), random_(seed) {}

  void Step() {
    switch (Below(living_.size() < 1500 ? 6 : 9)) {
      case 0:
      case 1:
      case 2:
        return Create();
      case 3:
        return Import();
      case 4:
      case 5:
        return Update();
      default:
        return Delete();
    }
  }
  // Each user's row is written anew, and nothing of what it holds changes but the age.
  void TouchAll() {
    std::vector<UserUpdate> updates;
    for (const auto& [user_id, user] : living_) {
      UserUpdate& update = updates.emplace_back();
      update.values.set_user_id(user_id);
      update.values.set_age(static_cast<int>(user_id % 150));
      update.set_age = true;
    }
    EXPECT_TRUE(BlockOn(store_.UpdateUsers(CallContext(), updates, WriteOptions())).ok());
  }

  // By number: name and address.
  std::map<int64_t, std::vector<std::string>> living() const {
    std::map<int64_t, std::vector<std::string>> values;
    for (const auto& [user_id, user] : living_) values[user_id] = {user.name, user.email};
    return values;
  }
  size_t deleted() const { return deleted_; }
  const ErasedTexts& erased() const { return erased_; }

 private:
  struct Living {
    std::string name;
    std::string email;
    std::vector<std::string> earlier;  // values
  };

  size_t Below(size_t bound) { return random_() % bound; }
  std::string Text(size_t bytes) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text.push_back(kLetters[Below(kLetters.size())]);
    return text;
  }
  std::vector<users::v1::User> MakeUsers() {
    std::vector<users::v1::User> users;
    for (size_t i = Below(60) + 1; i > 0; --i)
      users.push_back(MakeUser(Text(12 + Below(80)), Text(12 + Below(80)) + "@x.org"));
    return users;
  }
  WriteOptions Options() {
    return Below(2) == 0 ? WriteOptions() : WithRequestId(absl::StrCat("request", ++requests_));
  }
  // Different users, fewer than there are.
  std::set<int64_t> Some() {
    std::set<int64_t> some;
    for (size_t i = std::min(Below(60) + 1, living_.size() / 2); i > 0; --i) {
      const auto after = living_.lower_bound(static_cast<int64_t>(Below(last_user_id_ + 1)));
      some.insert(after == living_.end() ? living_.begin()->first : after->first);
    }
    return some;
  }

  void Add(int64_t user_id, const users::v1::User& user) {
    last_user_id_ = std::max(last_user_id_, static_cast<size_t>(user_id));
    living_[user_id] = {user.name(), user.email(), {}};
  }
  void Create() {
    const WriteOptions options = Options();
    const auto created = BlockOn(store_.CreateUsers(CallContext(), MakeUsers(), options));
    ASSERT_TRUE(created.ok()) << created.status();
    for (const users::v1::User& user : *created) Add(user.user_id(), user);
  }
  void Import() {
    const std::vector<users::v1::User> users = MakeUsers();
    const WriteOptions options = Options();
    ASSERT_TRUE(BlockOn(store_.ImportUsers(CallContext(), users, options)).ok());
    for (const users::v1::User& user : users) {
      const auto stored = Decode(BlockOn(store_.LookupUser(CallContext(), user.email())));
      ASSERT_TRUE(stored.ok()) << stored.status();
      Add(stored->user_id(), user);
    }
  }
  void Update() {
    std::vector<UserUpdate> updates;
    for (const int64_t user_id : Some()) {
      UserUpdate& update = updates.emplace_back();
      update.values = MakeUser(Text(12 + Below(80)), Text(12 + Below(80)) + "@x.org");
      update.values.set_user_id(user_id);
      update.set_name = Below(3) != 0;
      update.set_email = !update.set_name || Below(2) == 0;
      Living& user = living_[user_id];
      if (update.set_name) user.earlier.push_back(std::exchange(user.name, update.values.name()));
      if (update.set_email)
        user.earlier.push_back(std::exchange(user.email, update.values.email()));
    }
    if (updates.empty()) return;
    const WriteOptions options = Options();
    const auto updated = BlockOn(store_.UpdateUsers(CallContext(), updates, options));
    ASSERT_TRUE(updated.ok()) << updated.status();
  }
  void Delete() {
    std::vector<UserRemoval> removals;
    for (const int64_t user_id : Some()) {
      removals.emplace_back(user_id, "", false);
      const Living& user = living_[user_id];
      erased_.Add(user.name);
      erased_.Add(user.email);
      for (const std::string& value : user.earlier) erased_.Add(value);
      living_.erase(user_id);
    }
    deleted_ += removals.size();
    const WriteOptions options = Options();
    const absl::Status status = BlockOn(store_.DeleteUsers(CallContext(), removals, options));
    ASSERT_TRUE(status.ok()) << status;
  }

  SqliteUserStore& store_;
  std::mt19937_64 random_;
  size_t requests_ = 0;
  size_t last_user_id_ = 0;
  size_t deleted_ = 0;
  std::map<int64_t, Living> living_;
  ErasedTexts erased_;
};

TEST_F(ErasureTest, NothingIsLeftOfThousandsOfUsers) {
  const std::string directory = std::filesystem::path(database_.path()).parent_path().string();
  const std::string log = database_.path() + "-wal";
  RandomUsers users(store(), /*seed=*/11);
  while (users.deleted() < Scaled<size_t>(4000, 400)) users.Step();
  EXPECT_TRUE(Eventually([&] { return std::filesystem::file_size(log) == 0; }, absl::Seconds(60)))
      << "the log is not cut to nothing";
  EXPECT_THAT(users.erased().FindInDirectory(directory), IsEmpty());

  users.TouchAll();
  EXPECT_GT(std::filesystem::file_size(log), 0u);
  EXPECT_THAT(users.erased().FindInDirectory(directory), IsEmpty())
      << "pages that are written again bring nothing back";

  const std::unique_ptr<sqlite::Connection> connection = database_.Connect();
  sqlite::QueryScope check(*connection, "PRAGMA integrity_check");
  ASSERT_TRUE(check.Step().ok());
  EXPECT_EQ(check.Text(0), "ok");
  std::map<int64_t, std::vector<std::string>> stored;
  for (const users::v1::User& user : List(Query("")))
    stored[user.user_id()] = {user.name(), user.email()};
  EXPECT_EQ(stored, users.living());
}

}  // namespace
}  // namespace userservice::store
