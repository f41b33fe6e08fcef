// A database that userd can not serve is refused as an operator needs it: one line on stderr that
// names the file and the remedy, exit code 1, nothing on stdout, and not a byte changed.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "service/store/database.h"
#include "tests/support/directory_snapshot.h"
#include "tests/support/userd_process.h"

namespace userservice {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class StartupErrorsTest : public testing::Test {
 protected:
  std::string path() const { return directory_.File("users.db"); }

  void MakeDatabase(int64_t users) {
    store::DatabaseOptions options;
    options.generate_users = users;
    ASSERT_TRUE(store::PrepareDatabase(path(), options).ok());
  }

  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  // Starts userd on the database; what it says, after everything else was checked.
  std::string Refusal(const UserdOptions& options = UserdOptions()) {
    const DirectorySnapshot before(directory_.path());
    UserdProcess userd({"--database=" + path()}, options);
    EXPECT_EQ(userd.WaitForExit(), 1);
    EXPECT_EQ(DirectorySnapshot(directory_.path()), before);
    EXPECT_EQ(userd.output(), "");
    const std::string errors = userd.errors();
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    EXPECT_THAT(errors, StartsWith("userd: database " + path() + ": "));
    return errors;
  }

  const TemporaryDirectory directory_;
};

TEST_F(StartupErrorsTest, AFileThatIsNoDatabase) {
  std::ofstream(path()) << "name,email,age\nAnn,ann@example.com,41\n" << std::string(5000, 'x');
  EXPECT_THAT(Refusal(), HasSubstr("is not an SQLite database; name another file"));
}

TEST_F(StartupErrorsTest, ANewerSchema) {
  MakeDatabase(10);
  Execute("PRAGMA user_version = 99");
  const std::string errors = Refusal();
  EXPECT_THAT(errors, HasSubstr("99"));
  EXPECT_THAT(errors, HasSubstr("newer"));
}

TEST_F(StartupErrorsTest, ACorruptPage) {
  MakeDatabase(2000);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path()));
  ASSERT_GT(size, 100'000);
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(size / 2 / 4096 * 4096);
  file << std::string(4096, '\xa5');
  file.close();
  const std::string errors = Refusal();
  EXPECT_THAT(errors, HasSubstr("is damaged"));
  EXPECT_THAT(errors, HasSubstr("restore it from a backup"));
}

TEST_F(StartupErrorsTest, ATruncatedFile) {
  MakeDatabase(2000);
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) / 2);
  EXPECT_THAT(Refusal(), HasSubstr("restore it from a backup"));
}

TEST_F(StartupErrorsTest, ADirectoryThatMayNotBeWritten) {
  MakeDatabase(10);
  namespace fs = std::filesystem;
  fs::permissions(directory_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  UserdOptions options;
  // Root may write anywhere, unless it gives that up.
  if (geteuid() == 0) {
    options.prefix = {"setpriv", "--bounding-set=-dac_override,-dac_read_search"};
  }
  EXPECT_THAT(Refusal(options), HasSubstr("give this user write permission on the directory"));
  fs::permissions(directory_.path(), fs::perms::owner_all);
}

TEST_F(StartupErrorsTest, ADirectoryThatIsNotThere) {
  UserdProcess userd({"--database=" + directory_.File("none/users.db")});
  EXPECT_EQ(userd.WaitForExit(), 1);
  EXPECT_THAT(userd.errors(),
              MatchesRegex("userd: database [^\n]*none/users.db: [^\n]*create it first\n"));
}

}  // namespace
}  // namespace userservice
