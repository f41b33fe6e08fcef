#include "client/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace userservice::cli {
namespace {

TEST(Files, AreReplacedAsAWholeAndForTheirOwnerAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("state");
  ASSERT_TRUE(ReplaceFile(path, "one").ok());
  ASSERT_TRUE(ReplaceFile(path, "two").ok());
  EXPECT_EQ(*ReadSmallFile(path), "two");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_TRUE(RemoveFile(path).ok());
  EXPECT_TRUE(RemoveFile(path).ok()) << "what is not there needs no removing";
}

TEST(Files, SayWhichOneCanNotBeUsedAndWhy) {
  const TemporaryDirectory directory;
  const absl::Status missing = ReadSmallFile(directory.File("missing")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(),
            "can not read " + directory.File("missing") + ": No such file or directory");
  const absl::Status nowhere = ReplaceFile(directory.File("no/where"), "x");
  EXPECT_EQ(nowhere.message(),
            "can not write " + directory.File("no/where.new") + ": No such file or directory");
  EXPECT_TRUE(IsFileError(nowhere));
  EXPECT_FALSE(IsFileError(absl::NotFoundError("there is no user 7")));
}

TEST(Files, AFullDiskIsAnError) {
  absl::StatusOr<File> full = File::Open("/dev/full", O_WRONLY);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->Append("x").message(), "can not write /dev/full: No space left on device");
}

TEST(Files, AreCutAndWrittenOn) {
  const TemporaryDirectory directory;
  absl::StatusOr<File> file = File::Open(directory.File("f"), O_WRONLY | O_CREAT);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Append("0123456789").ok());
  ASSERT_TRUE(file->Truncate(4).ok());
  ASSERT_TRUE(file->Append("x").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(*ReadSmallFile(file->path()), "0123x");
  EXPECT_EQ(file->Bytes(), 5);
}

}  // namespace
}  // namespace userservice::cli
