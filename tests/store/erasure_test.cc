// A deletion erases a user's personal data from every file.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

// Whether the bytes stand in the database or its log, in any case of their letters.
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

}  // namespace
}  // namespace userservice::store
