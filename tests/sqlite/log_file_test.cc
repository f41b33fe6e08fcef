// What is held back of a write-ahead log never shows: to no reader, and to no other writer.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "tests/support/temporary_directory.h"

namespace userservice::sqlite {
namespace {

// Notes of 1,000 bytes, so that four fill a page, and a cache that holds few pages.
class LogFileTest : public ::testing::Test {
 protected:
  LogFileTest() {
    ConnectionOptions options(path(), OpenMode::kCreate);
    options.cache_kib = 16;
    options.wal_autocheckpoint_pages = 0;
    writer_ = *Connection::Open(options);
    EXPECT_TRUE(SetWriteAheadLog(*writer_).ok());
    Execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)");
  }

  std::string path() const { return directory_.File("notes.db"); }

  void Execute(const std::string& sql) {
    const absl::Status status = writer_->Execute(sql.c_str());
    EXPECT_TRUE(status.ok()) << status;
  }
  void AddNotes(int count, const std::string& note) {
    Execute(
        absl::StrCat("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM "
                     "numbers LIMIT ",
                     count, ") INSERT INTO notes (note) SELECT '", note,
                     "' || hex(zeroblob(500)) FROM numbers"));
  }

  // By SQLite's own VFS, as another program.
  int64_t AsOthersSee(const std::string& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    int64_t number = -1;
    const auto take = [](void* into, int, char** values, char**) {
      *static_cast<int64_t*>(into) = values[0] == nullptr ? -1 : std::stoll(values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), take, &number, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
    return number;
  }
  void ExpectSound() {
    QueryScope check(*writer_, "PRAGMA integrity_check");
    ASSERT_TRUE(*check.Step());
    EXPECT_EQ(check.Text(0), "ok");
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Connection> writer_;
};

int64_t SystemCallsThatWrite() {
  std::ifstream counters("/proc/thread-self/io");
  std::string name;
  int64_t value = 0;
  while (counters >> name >> value) {
    if (name == "syscw:") return value;
  }
  return -1;
}

TEST_F(LogFileTest, WritesATransactionInLongRuns) {
  const int64_t before = SystemCallsThatWrite();
  AddNotes(1600, "a");                              // 400 pages and more
  EXPECT_LT(SystemCallsThatWrite() - before, 200);  // also where the system does not count them
  EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes"), 1600);
}

TEST_F(LogFileTest, ShowsACommitToOthersAtOnceAlsoWhereItIsNotSynced) {
  Execute("PRAGMA synchronous = OFF");
  for (int i = 1; i <= 20; ++i) {
    AddNotes(50, "a");
    EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes WHERE note LIKE 'a%'"), 50 * i);
  }
  ExpectSound();
}

TEST_F(LogFileTest, ReadsWhatItHoldsBack) {
  Execute("BEGIN");
  AddNotes(2000, "a");
  Execute("UPDATE notes SET note = 'b' || note");
  Execute("COMMIT");
  EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes WHERE note LIKE 'ba%'"), 2000);
  ExpectSound();
}

// A cache of few pages is written to the log in the midst of a transaction. Another program writes
// to the same place of the log once it may.
TEST_F(LogFileTest, LeavesTheLogToOthersOnceItsTransactionWasGivenUp) {
  AddNotes(10, "a");
  for (int i = 1; i <= 20; ++i) {
    // Else giving up would read from the log.
    Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    Execute("BEGIN");
    AddNotes(10 * i, "given up");
    Execute("ROLLBACK");
    EXPECT_EQ(AsOthersSee("INSERT INTO notes (note) VALUES ('other') RETURNING 1"), 1);
    EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes"), 10 + 2 * i - 1);
    AddNotes(1, "a");
    EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes"), 10 + 2 * i);
  }
  ExpectSound();
}

// The frames of its first savepoint are written again, with other checksums.
TEST_F(LogFileTest, WritesAgainWhatASavepointTookBack) {
  Execute("BEGIN");
  for (int i = 0; i < 10; ++i) {
    Execute("SAVEPOINT one");
    AddNotes(100, "given up");
    Execute("ROLLBACK TO one");
    Execute("RELEASE one");
    AddNotes(50, "a");
  }
  Execute("COMMIT");
  EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes WHERE note LIKE 'a%'"), 500);
  EXPECT_EQ(AsOthersSee("SELECT count(*) FROM notes"), 500);
  ExpectSound();
}

// The system's pwrite, with a disk that is full for one write.
class DiskFullOnce {
 public:
  DiskFullOnce() { Set(&Write); }
  DiskFullOnce(const DiskFullOnce&) = delete;
  DiskFullOnce& operator=(const DiskFullOnce&) = delete;
  ~DiskFullOnce() { Set(nullptr); }

  static void Arm() { is_armed = true; }
  // Whether it has happened since.
  static bool Disarm() { return !std::exchange(is_armed, false); }

 private:
  static ssize_t Write(int file, const void* data, size_t bytes, off_t at) {
    if (!std::exchange(is_armed, false)) return pwrite(file, data, bytes, at);
    errno = ENOSPC;
    return -1;
  }
  static void Set(ssize_t (*function)(int, const void*, size_t, off_t)) {
    sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
    for (const char* name : {"pwrite", "pwrite64"})
      vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(function));
  }

  static inline bool is_armed = false;
};

// A statement that is undone alone leaves its transaction to go on, with all that came before.
TEST_F(LogFileTest, LosesNothingWhereADiskIsFullForAMoment) {
  Execute("PRAGMA cache_size = 12");  // pages, some of which a transaction may keep
  Execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT)");
  Execute("CREATE TABLE tombstones (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL)");
  Execute("CREATE INDEX tombstones_by_revision ON tombstones (revision)");
  const std::string numbers =
      "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 3000) ";
  Execute(numbers +
          "INSERT INTO users (email, name) SELECT hex(randomblob(12)), hex(randomblob(100)) FROM "
          "numbers");
  Execute(numbers + "INSERT INTO tombstones SELECT n * 2, abs(random()) % 100000 FROM numbers");
  int64_t users = 3000;
  int survived = 0;
  const DiskFullOnce disk;
  for (int64_t i = 1; i <= 100; ++i) {
    Execute("BEGIN IMMEDIATE");
    const int64_t added = 5 + i % 40;
    for (int64_t k = 0; k < added; ++k)
      Execute("INSERT INTO users (email, name) VALUES (hex(randomblob(12)), hex(randomblob(100)))");
    DiskFullOnce::Arm();
    const absl::Status replaced = writer_->Execute(
        absl::StrCat("INSERT OR REPLACE INTO tombstones VALUES (", i * 59 % 6000, ", ", i, ")")
            .c_str());
    const bool was_full = DiskFullOnce::Disarm();
    if (!writer_->in_transaction()) continue;
    survived += was_full && !replaced.ok() ? 1 : 0;
    Execute("COMMIT");
    users += added;
    ASSERT_EQ(AsOthersSee("SELECT count(*) FROM users"), users) << i;
  }
  EXPECT_GT(survived, 0) << "nothing was tested";
  ExpectSound();
}

}  // namespace
}  // namespace userservice::sqlite
