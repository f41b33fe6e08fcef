// A file system without room: writes are refused, reads go on, and both work again once there is
// room.
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/store/user_store_fixture.h"
#include "tests/support/temporary_directory.h"

namespace userservice::store {
namespace {

// A file system of `bytes`, where this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& bytes)
      : mounted_(mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, ("size=" + bytes).c_str()) ==
                 0) {}
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(directory_.path().c_str(), MNT_DETACH);
  }

  bool is_mounted() const { return mounted_; }
  std::string File(const std::string& name) const { return directory_.File(name); }

  // Takes all the room there is.
  void Fill() const {
    std::ofstream file(File("ballast"), std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void MakeRoom() const { std::filesystem::remove(File("ballast")); }
  void MakeRoomOf(uintmax_t bytes) const {
    const uintmax_t size = std::filesystem::file_size(File("ballast"));
    std::filesystem::resize_file(File("ballast"), size - bytes);
  }

 private:
  const TemporaryDirectory directory_;
  const bool mounted_;
};

class FullDiskTest : public UserStoreTest {
 protected:
  void SetUp() override {
    if (!disk_.is_mounted()) GTEST_SKIP() << "this process may not mount a file system";
    options_.path = disk_.File("users.db");
  }

  const SmallDisk disk_{"4m"};
};

TEST_F(FullDiskTest, RefusesToCreateADatabaseAndLeavesNothing) {
  disk_.Fill();
  const absl::Status refused = PrepareDatabase(options_.path, DatabaseOptions()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_NE(refused.message().find("the disk is full; free some space"), absl::string_view::npos)
      << refused;
  EXPECT_FALSE(std::filesystem::exists(options_.path));
  disk_.MakeRoom();
  EXPECT_TRUE(PrepareDatabase(options_.path, DatabaseOptions()).ok());
}

TEST_F(FullDiskTest, WritesAreStorageFullUntilThereIsRoom) {
  ASSERT_TRUE(PrepareDatabase(options_.path, DatabaseOptions()).ok());
  ASSERT_TRUE(Create(MakeUser("Ann", "ann@x.org")).ok());
  disk_.Fill();
  int64_t stored = 1;
  std::string reason;
  for (int i = 0; i < 100 && reason.empty(); ++i) {
    const absl::Status status =
        Create(MakeUser(std::string(100, 'n'), absl::StrCat(i, "@x.org"))).status();
    if (status.ok()) {
      ++stored;
    } else {
      reason = ReasonOf(status);
    }
  }
  EXPECT_EQ(reason, "STORAGE_FULL");
  EXPECT_EQ(ReasonOf(Create(MakeUser("Bob", "bob@x.org")).status()), "STORAGE_FULL")
      << "at once again";
  EXPECT_EQ(Count(), stored) << "reads go on, and see what was acknowledged";
  EXPECT_EQ(store().writer().committed().value(), stored);
  disk_.MakeRoom();
  const absl::StatusOr<users::v1::User> bob = Create(MakeUser("Bob", "bob@x.org"));
  ASSERT_TRUE(bob.ok()) << bob.status();
  EXPECT_EQ(bob->etag(), absl::StrCat("\"", stored + 1, "\""));
  EXPECT_EQ(Count(), stored + 1);
  store_.reset();
}

TEST_F(FullDiskTest, ADatabaseThatHasNoRoomToBeRebuiltStaysAsItIs) {
  ASSERT_TRUE(PrepareDatabase(options_.path, DatabaseOptions()).ok());
  std::vector<users::v1::User> users;
  for (int i = 0; i < 1000; ++i)
    users.push_back(MakeUser(std::string(100, 'n'), absl::StrCat(i, std::string(100, 'e'))));
  ASSERT_TRUE(CreateAll(users).ok());
  store_.reset();
  disk_.Fill();
  disk_.MakeRoomOf(256 * 1024);
  DatabaseOptions options;
  options.rebuild = true;
  const absl::Status refused = PrepareDatabase(options_.path, options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_NE(refused.message().find("the disk is too full to rebuild it"), absl::string_view::npos)
      << refused;
  EXPECT_TRUE(PrepareDatabase(options_.path, DatabaseOptions()).ok());
  EXPECT_EQ(Count(), 1000);
  disk_.MakeRoom();
  store_.reset();
  EXPECT_TRUE(PrepareDatabase(options_.path, options).ok());
  EXPECT_EQ(Count(), 1000);
  store_.reset();
}

}  // namespace
}  // namespace userservice::store
