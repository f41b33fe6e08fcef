#include "client/cli/export/export_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_directory.h"

namespace userservice::cli {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

ExportState Wanted() {
  ExportState state;
  state.server = "127.0.0.1:1";
  state.filter = "age > 25\nAND name = \"A\"";
  state.format = OutputFormat::kCsv;
  return state;
}

class ExportFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExportFile> Open(const ExportState& wanted = Wanted()) {
    return ExportFile::Open(path_, wanted);
  }
  std::string Text() const { return *ReadSmallFile(path_); }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("users.csv");
  const std::string partial_ = path_ + ".partial";
  const std::string state_ = path_ + ".export-state";
};

TEST_F(ExportFileTest, IsThereOnceItIsWholeAndNothingElseIs) {
  absl::StatusOr<ExportFile> file = Open();
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("one\n", "t1", 1).ok());
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(fs::exists(state_));
  ASSERT_TRUE(file->Finish().ok());
  EXPECT_EQ(Text(), "one\n");
  EXPECT_FALSE(fs::exists(partial_));
  EXPECT_FALSE(fs::exists(state_));
}

// As after kill -9: what was written after the state was is cut off.
TEST_F(ExportFileTest, GoesOnFromItsStateWhateverWasWrittenSince) {
  {
    absl::StatusOr<ExportFile> file = Open();
    ASSERT_TRUE(file->Append("one\n", "t1", 1).ok());
    ASSERT_TRUE(file->Save().ok());
    ASSERT_TRUE(file->Append("two\n", "t2", 2).ok());
  }
  EXPECT_EQ(*ReadSmallFile(partial_), "one\ntwo\n");
  absl::StatusOr<ExportFile> again = Open();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state().resume_token, "t1");
  EXPECT_EQ(again->state().users, 1);
  ASSERT_TRUE(again->Append("2\n", "t2", 2).ok());
  ASSERT_TRUE(again->Finish().ok());
  EXPECT_EQ(Text(), "one\n2\n");
}

TEST_F(ExportFileTest, BeginsAnewWhereTheStateHasNoBytes) {
  {
    absl::StatusOr<ExportFile> file = Open();
    ASSERT_TRUE(file->Append("one\n", "t1", 1).ok());
  }
  fs::remove(partial_);
  absl::StatusOr<ExportFile> again = Open();
  EXPECT_EQ(again->state().resume_token, "");
  std::ofstream(partial_) << "stale";
}

TEST_F(ExportFileTest, DoesNotGoOnFromAnotherExport) {
  {
    absl::StatusOr<ExportFile> file = Open();
    ASSERT_TRUE(file->Append("one\n", "t1", 1).ok());
  }
  ExportState wanted = Wanted();
  wanted.filter = "";
  EXPECT_THAT(Open(wanted).status().message(), HasSubstr("it is of --filter='age > 25"));
  wanted = Wanted();
  wanted.format = OutputFormat::kJson;
  EXPECT_THAT(Open(wanted).status().message(), HasSubstr("of --output=csv"));
  wanted = Wanted();
  wanted.server = "other:1";
  EXPECT_THAT(Open(wanted).status().message(), HasSubstr("of --server=127.0.0.1:1"));
  std::ofstream(state_) << "garbage";
  EXPECT_THAT(Open().status().message(), HasSubstr("can not go on from"));
}

TEST_F(ExportFileTest, HasOneWriterAtATime) {
  const absl::StatusOr<ExportFile> first = Open();
  EXPECT_THAT(Open().status().message(), HasSubstr("another userctl exports to"));
}

TEST_F(ExportFileTest, ReplacesTheFileBehindALinkAndKeepsItsPermissions) {
  const std::string real = directory_.File("real.csv");
  std::ofstream(real) << "old";
  ASSERT_EQ(chmod(real.c_str(), 0600), 0);
  fs::create_symlink(real, path_);
  absl::StatusOr<ExportFile> file = Open();
  ASSERT_TRUE(file->Append("new", "t1", 1).ok());
  EXPECT_EQ(Text(), "old");
  ASSERT_TRUE(file->Finish().ok());
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(Text(), "new");
  EXPECT_EQ(fs::status(real).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ExportFileTest, GivenUpBeforeAnythingCameLeavesNothing) {
  absl::StatusOr<ExportFile> file = Open();
  file->GiveUp();
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(ExportFileTest, OfADeviceIsWrittenAsItIs) {
  absl::StatusOr<ExportFile> full = ExportFile::Open("/dev/full", Wanted());
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_THAT(full->Append("x", "t", 1).message(), HasSubstr("No space left on device"));
  EXPECT_FALSE(full->can_go_on());
}

}  // namespace
}  // namespace userservice::cli
