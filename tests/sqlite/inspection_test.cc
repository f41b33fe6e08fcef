#include "service/sqlite/inspection.h"

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "service/sqlite/query_scope.h"
#include "tests/sqlite/test_database.h"
#include "tests/support/directory_snapshot.h"

namespace userservice::sqlite {
namespace {

namespace fs = std::filesystem;

int64_t CountPetsByInspection(const std::string& path) {
  const auto connection = OpenForInspection(path);
  if (!connection.ok()) return -1;
  EXPECT_FALSE(RunCached(**connection, "DELETE FROM pets").ok());
  QueryScope count(**connection, "SELECT count(*) FROM pets");
  return *count.Step() ? count.Int64(0) : -1;
}

TEST(Inspection, LeavesADatabaseInRollbackModeAsItIs) {
  const TestDatabase database;
  ASSERT_TRUE(database.Open(OpenMode::kReadWrite)->Execute("PRAGMA journal_mode = DELETE").ok());
  const DirectorySnapshot before(database.directory());
  EXPECT_EQ(CountPetsByInspection(database.path()), 2);
  EXPECT_EQ(DirectorySnapshot(database.directory()), before);
}

TEST(Inspection, LeavesADatabaseInWalModeAsItIs) {
  const TestDatabase database;
  const DirectorySnapshot before(database.directory());
  ASSERT_EQ(before.names(), std::vector<std::string>{"pets.db"});
  EXPECT_EQ(CountPetsByInspection(database.path()), 2);
  EXPECT_EQ(DirectorySnapshot(database.directory()), before);
}

// What a crash leaves: the database and its -wal, with or without the -shm, and nobody at work.
void ExpectCrashedFilesStay(bool with_shm, bool with_wal_content) {
  const TestDatabase database;
  const TemporaryDirectory crashed;
  {
    const auto writer = database.Open(OpenMode::kReadWrite);
    if (with_wal_content) {
      ASSERT_TRUE(RunCached(*writer, "INSERT INTO pets (name) VALUES ('Tom')").ok());
    } else {
      ASSERT_TRUE(RunCached(*writer, "SELECT id FROM pets").ok());
    }
    for (const std::string suffix : {"", "-wal", "-shm"}) {
      if (suffix == "-shm" && !with_shm) continue;
      fs::copy_file(database.path() + suffix, crashed.File("pets.db" + suffix));
    }
  }
  const DirectorySnapshot before(crashed.path(), {"pets.db-shm"});
  EXPECT_EQ(CountPetsByInspection(crashed.File("pets.db")), with_wal_content ? 3 : 2);
  EXPECT_EQ(DirectorySnapshot(crashed.path(), {"pets.db-shm"}), before);
}

TEST(Inspection, ReadsTheWalThatACrashLeft) { ExpectCrashedFilesStay(true, true); }
TEST(Inspection, ReadsTheWalThatACrashLeftWithoutItsIndex) { ExpectCrashedFilesStay(false, true); }
TEST(Inspection, ReadsADatabaseWithAnEmptyWal) { ExpectCrashedFilesStay(true, false); }
TEST(Inspection, ReadsADatabaseWithAnEmptyWalAndNoIndex) { ExpectCrashedFilesStay(false, false); }

TEST(Inspection, SeesWhatAnotherConnectionHasCommitted) {
  const TestDatabase database;
  const auto writer = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(RunCached(*writer, "INSERT INTO pets (name) VALUES ('Tom')").ok());
  EXPECT_EQ(CountPetsByInspection(database.path()), 3);
  EXPECT_TRUE(RunCached(*writer, "INSERT INTO pets (name) VALUES ('Ann')").ok());
  EXPECT_EQ(database.CountPets(), 4);
}

}  // namespace
}  // namespace userservice::sqlite
