#include "service/store/database.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "service/store/schema.h"
#include "service/store/sqlite_user_store.h"
#include "tests/store/decoded_users.h"
#include "tests/store/file_size_limit.h"
#include "tests/store/python.h"
#include "tests/support/directory_snapshot.h"
#include "tests/support/erased_texts.h"
#include "tests/support/temporary_directory.h"

namespace userservice::store {
namespace {

namespace fs = std::filesystem;

constexpr char kManyRows[] =
    "db.executemany('INSERT INTO users (name, email, age) VALUES (?, ?, ?)',"
    " [('Name %d' % i, 'User%d@Example.com' % i, i % 100) for i in range(2000)])";

absl::Status Prepare(const std::string& path, const DatabaseOptions& options = DatabaseOptions()) {
  return PrepareDatabase(path, options).status();
}

void ExpectOneLineWith(const absl::Status& refused, const std::vector<std::string>& parts) {
  const std::string message(refused.message());
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string& part : parts) {
    EXPECT_TRUE(absl::StrContains(message, part)) << "'" << part << "' is not in: " << message;
  }
}

class DatabaseTest : public ::testing::Test {
 protected:
  // It is refused in one line that has the path and the remedy, and nothing in its directory
  // changes.
  void ExpectRefused(absl::StatusCode code, const std::string& remedy,
                     const DatabaseOptions& options = DatabaseOptions()) {
    const DirectorySnapshot before(directory_.path());
    const absl::Status refused = Prepare(path_, options);
    EXPECT_EQ(refused.code(), code) << refused;
    ExpectOneLineWith(refused, {path_, remedy});
    EXPECT_EQ(DirectorySnapshot(directory_.path()), before);
  }

  void Overwrite(std::streamoff at, const std::string& bytes) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
    ASSERT_TRUE(file.good());
  }

  std::vector<users::v1::User> ServedUsers() const {
    absl::StatusOr<std::unique_ptr<SqliteUserStore>> store =
        SqliteUserStore::Open(SqliteStoreOptions(path_));
    EXPECT_TRUE(store.ok()) << store.status();
    PageQuery query;
    query.page_size = 1000;
    std::vector<users::v1::User> users;
    do {
      absl::StatusOr<UserPage> page = BlockOn((*store)->ListUsers(CallContext(), query));
      EXPECT_TRUE(page.ok()) << page.status();
      for (users::v1::User& user : Decode(page->users)) users.push_back(std::move(user));
      query.after = page->next;
    } while (query.after.has_value());
    return users;
  }

  const TemporaryDirectory directory_;
  std::string path_ = directory_.File("users.db");
};

mode_t ModeOf(const std::string& path) {
  struct stat file = {};
  EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
  return file.st_mode & 07777;
}

TEST_F(DatabaseTest, CreatesAnEmptyOneOfTodaysSchema) {
  const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path_, DatabaseOptions());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->created);
  EXPECT_EQ(info->found_version, 0);
  EXPECT_EQ(info->version, kSchemaVersion);
  EXPECT_TRUE(ServedUsers().empty());

  const absl::StatusOr<DatabaseInfo> again = PrepareDatabase(path_, DatabaseOptions());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->found_version, kSchemaVersion);
}

TEST_F(DatabaseTest, FillsANewOneAndOnlyANewOne) {
  DatabaseOptions options;
  options.sample_users = true;
  ASSERT_TRUE(Prepare(path_, options).ok());
  options.generate_users = 100;
  ASSERT_TRUE(Prepare(path_, options).ok());
  std::vector<int> ages;
  for (const users::v1::User& user : ServedUsers()) ages.push_back(user.age());
  EXPECT_EQ(ages, (std::vector<int>{25, 30, 40, 45, 50}));

  path_ = directory_.File("generated.db");
  ASSERT_TRUE(Prepare(path_, options).ok());
  const std::vector<users::v1::User> users = ServedUsers();
  ASSERT_EQ(users.size(), 100u);
  EXPECT_EQ(users.back().email(), "user100@example.com");
  EXPECT_EQ(users.back().etag(), "\"100\"");
}

TEST_F(DatabaseTest, AnEmptyFileCountsAsNew) {
  std::ofstream(path_).close();
  const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path_, DatabaseOptions());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->created);
}

TEST_F(DatabaseTest, CreatesItsFilesForOwnerAndGroupWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0077}, mode_t{0777}}) {
    path_ = directory_.File(absl::StrCat("umask", mask, ".db"));
    const mode_t old = umask(mask);
    const absl::Status prepared = Prepare(path_);
    absl::StatusOr<std::unique_ptr<SqliteUserStore>> store =
        SqliteUserStore::Open(SqliteStoreOptions(path_));
    std::vector<users::v1::User> users(1);
    users[0].set_name("Ann");
    users[0].set_email("ann@x.org");
    const WriteOptions options;
    const bool created =
        store.ok() && BlockOn((*store)->CreateUsers(CallContext(), users, options)).ok();
    umask(old);
    ASSERT_TRUE(prepared.ok()) << prepared;
    ASSERT_TRUE(created);
    for (const std::string suffix : {"", "-wal", "-shm"})
      EXPECT_EQ(ModeOf(path_ + suffix), 0640u) << suffix;
  }
}

TEST_F(DatabaseTest, AnExistingFileKeepsItsMode) {
  MakePythonDatabase(path_, "");
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  ASSERT_TRUE(Prepare(path_).ok());
  EXPECT_EQ(ModeOf(path_), 0600u);
}

TEST_F(DatabaseTest, OpensWhatPythonMadeAndServesEveryRow) {
  MakePythonDatabase(path_, R"py(
rows = [('Ann', 'Ann@Example.com', 30, '2024-05-01 12:00:00'),
        ('Bob', 'bob@example.com', None, datetime.datetime(2024, 5, 1, 12, 0, 0, 123456)),
        ('gone', 'gone@example.com', 1, None),
        ('Zoë', 'ZOE@EXAMPLE.COM', 150, None),
        ('  spaces  ', 'odd one', 0, 'yesterday')]
db.executemany('INSERT INTO users (name, email, age, created_at) VALUES (?, ?, ?, ?)', rows)
db.execute('INSERT INTO users (name, email, age) VALUES (?, ?, ?)',
           ('Default', 'd@example.com', 42))
db.execute('DELETE FROM users WHERE user_id = 3')
)py");
  const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path_, DatabaseOptions());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_FALSE(info->created);
  EXPECT_EQ(info->found_version, 1);

  const std::vector<users::v1::User> users = ServedUsers();
  ASSERT_EQ(users.size(), 5u);
  std::string text;
  for (const users::v1::User& user : users) {
    absl::StrAppend(&text, user.user_id(), " ", user.name(), " ", user.email(), " ",
                    user.has_age() ? absl::StrCat(user.age()) : "none", " ", user.etag(), "\n");
  }
  EXPECT_EQ(text,
            "1 Ann Ann@Example.com 30 \"1\"\n"
            "2 Bob bob@example.com none \"2\"\n"
            "4 Zoë ZOE@EXAMPLE.COM 150 \"3\"\n"
            "5   spaces   odd one 0 \"4\"\n"
            "6 Default d@example.com 42 \"5\"\n");
  EXPECT_EQ(users[0].create_time().seconds(), 1714564800);
  EXPECT_EQ(users[0].create_time().nanos(), 0);
  EXPECT_EQ(users[1].create_time().nanos(), 123456000);
  EXPECT_FALSE(users[2].has_create_time());
  EXPECT_FALSE(users[3].has_create_time());
  EXPECT_GT(users[4].create_time().seconds(), 1714564800);
  EXPECT_EQ(users[1].update_time().nanos(), 123456000);
}

TEST_F(DatabaseTest, NumbersGoOnAfterThoseOfUsersThatPythonDeleted) {
  MakePythonDatabase(path_,
                     "db.execute(\"INSERT INTO users (name, email) VALUES ('a', 'a@x.org')\")\n"
                     "db.execute('DELETE FROM users')");
  ASSERT_TRUE(Prepare(path_).ok());
  RunPython(path_, "db.execute(\"INSERT INTO users (name, email) VALUES ('b', 'b@x.org')\")");
  const std::vector<users::v1::User> users = ServedUsers();
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].user_id(), 2);
}

TEST_F(DatabaseTest, PythonReadsItsColumnsAfterTheUpgrade) {
  MakePythonDatabase(path_, kManyRows);
  const std::string five_columns =
      "print(db.execute('SELECT user_id, name, email, age, created_at FROM users ORDER BY "
      "user_id').fetchall())";
  const std::string before = RunPython(path_, five_columns);
  ASSERT_TRUE(absl::StrContains(before, "User1999@Example.com")) << before;
  ASSERT_TRUE(Prepare(path_).ok());
  EXPECT_EQ(RunPython(path_, five_columns), before);
  EXPECT_EQ(ServedUsers().size(), 2000u);
}

TEST_F(DatabaseTest, AnUpgradeThatFailsHalfwayChangesNothing) {
  MakePythonDatabase(path_, kManyRows);
  const DirectorySnapshot before(directory_.path());
  {
    const FileSizeLimit limit(fs::file_size(path_) + 8192);
    const absl::Status refused = Prepare(path_);
    ExpectOneLineWith(refused, {path_, "check the file, its directory and the disk"});
  }
  EXPECT_EQ(DirectorySnapshot(directory_.path()), before);
  ASSERT_TRUE(Prepare(path_).ok());
  EXPECT_EQ(ServedUsers().size(), 2000u);
}

TEST_F(DatabaseTest, RefusesEmailsThatDifferInCaseAlone) {
  MakePythonDatabase(path_,
                     "db.executemany('INSERT INTO users (name, email) VALUES (?, ?)',"
                     " [('a', 'Ann@x.org'), ('b', 'b@x.org'), ('c', 'ann@X.org')])");
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "user_id 1 and 3 differ in case alone, or");
}

TEST_F(DatabaseTest, RefusesWhatIsNoDatabase) {
  for (const std::string& content : {std::string("hello\n"), std::string(8192, 'x'),
                                     std::string(100, '\0'), std::string("SQLite format 3")}) {
    std::ofstream(path_, std::ios::binary) << content;
    ExpectRefused(absl::StatusCode::kDataLoss, "is not an SQLite database; name another file");
  }
}

TEST_F(DatabaseTest, RefusesANewerSchema) {
  ASSERT_TRUE(Prepare(path_).ok());
  RunPython(path_, "db.execute('PRAGMA user_version = 99')");
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                "schema version 99 is newer than this program's");
}

TEST_F(DatabaseTest, RefusesAnotherProgramsDatabase) {
  RunPython(path_, "db.execute('CREATE TABLE photos (id INTEGER PRIMARY KEY, file TEXT)')");
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "it has no table users; name another file");
}

TEST_F(DatabaseTest, RefusesOneWithACorruptPage) {
  MakePythonDatabase(path_, kManyRows);
  Overwrite(4096 * 20, std::string(4096, '\x5a'));
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a backup");
}

TEST_F(DatabaseTest, RefusesOneOfItsOwnWithACorruptPage) {
  DatabaseOptions options;
  options.generate_users = 2000;
  ASSERT_TRUE(Prepare(path_, options).ok());
  Overwrite(4096 * 20 + 3, "\xff\xff\xff\xff");
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a backup");
}

TEST_F(DatabaseTest, RefusesOneThatWasCutOff) {
  MakePythonDatabase(path_, kManyRows);
  fs::resize_file(path_, fs::file_size(path_) / 2);
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a backup");
}

TEST_F(DatabaseTest, RefusesADamagedSchema) {
  MakePythonDatabase(path_, kManyRows);
  Overwrite(100, std::string(64, '\x5a'));
  ExpectRefused(absl::StatusCode::kDataLoss, "restore it from a backup");
}

TEST_F(DatabaseTest, RefusesADirectoryThatDoesNotExist) {
  path_ = directory_.File("missing/users.db");
  ExpectRefused(absl::StatusCode::kNotFound, "/missing; create it first");
  std::ofstream(directory_.File("file")).close();
  path_ = directory_.File("file/users.db");
  ExpectRefused(absl::StatusCode::kNotFound, "create it");
}

TEST_F(DatabaseTest, RefusesWhatIsNoFile) {
  path_ = directory_.File("directory");
  fs::create_directory(path_);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "is a directory; name a file");
  path_ = directory_.File("pipe");
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "is not a regular file");
  EXPECT_FALSE(Prepare("").ok());
}

// Prepares as somebody whom permission bits bind: they do not bind root.
std::string MessageToANobody(const std::string& path) {
  if (geteuid() != 0) return std::string(Prepare(path).message());
  constexpr uid_t kNobody = 65534;
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) == 0 && setegid(kNobody) == 0 && seteuid(kNobody) == 0) {
      const std::string message(Prepare(path).message());
      static_cast<void>(!write(ends[1], message.data(), message.size()));
    }
    _exit(0);
  }
  close(ends[1]);
  std::string message(4096, '\0');
  const ssize_t bytes = read(ends[0], message.data(), message.size());
  close(ends[0]);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  message.resize(bytes > 0 ? static_cast<size_t>(bytes) : 0);
  return message;
}

TEST_F(DatabaseTest, RefusesADirectoryThatItMayNotWrite) {
  MakePythonDatabase(path_, kManyRows);
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0555), 0);
  const DirectorySnapshot before(directory_.path());
  const absl::Status refused = absl::UnknownError(MessageToANobody(path_));
  ExpectOneLineWith(refused, {path_, "give this user write permission on the directory"});
  const absl::Status no_file = absl::UnknownError(MessageToANobody(directory_.File("new.db")));
  ExpectOneLineWith(no_file, {"new.db", "give this user write permission on the directory"});
  EXPECT_EQ(DirectorySnapshot(directory_.path()), before);
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(DatabaseTest, RefusesAFileThatItMayNotWrite) {
  MakePythonDatabase(path_, kManyRows);
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0777), 0);
  const DirectorySnapshot before(directory_.path());
  const absl::Status refused = absl::UnknownError(MessageToANobody(path_));
  ExpectOneLineWith(refused, {path_, "give this user both permissions on the file"});
  EXPECT_EQ(DirectorySnapshot(directory_.path()), before);
}

// Another program that keeps the database open, after one statement, until Stop().
class OtherProgram {
 public:
  OtherProgram(const std::string& path, const std::string& sql) {
    const std::string script = directory_.File("hold.py");
    const std::string ready = directory_.File("ready");
    std::ofstream(script) << "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n"
                             "db.execute(sys.argv[3]).fetchall()\n"
                             "open(sys.argv[2], 'w').close()\nsys.stdin.read()\n";
    program_ = popen(
        absl::StrCat("/usr/bin/python3 ", script, " ", path, " ", ready, " '", sql, "'").c_str(),
        "w");
    while (!fs::exists(ready)) std::this_thread::yield();
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;
  ~OtherProgram() { Stop(); }

  void Stop() {
    if (program_ != nullptr) pclose(program_);
    program_ = nullptr;
  }

 private:
  const TemporaryDirectory directory_;
  FILE* program_ = nullptr;
};

TEST_F(DatabaseTest, RefusesOneThatAnotherProgramHasLocked) {
  MakePythonDatabase(path_, kManyRows);
  OtherProgram other(path_, "BEGIN EXCLUSIVE");
  DatabaseOptions options;
  options.busy_timeout_ms = 20;
  ExpectRefused(absl::StatusCode::kUnavailable, "is locked by another program; stop that program",
                options);
  other.Stop();
  EXPECT_TRUE(Prepare(path_, options).ok());
}

constexpr char kDeleteMostWithoutErasing[] =
    "db.execute('PRAGMA secure_delete = OFF')\n"
    "db.execute('DELETE FROM users WHERE user_id > 1000')";

TEST_F(DatabaseTest, RebuildingGivesSpaceBackAndErasesWhatOthersDeleted) {
  MakePythonDatabase(path_, kManyRows);
  ASSERT_TRUE(Prepare(path_).ok());
  RunPython(path_, kDeleteMostWithoutErasing);
  ErasedTexts erased;
  for (int i = 1000; i < 2000; ++i) erased.Add(absl::StrCat("user", i, "@example"));
  EXPECT_GT(erased.FindInDirectory(directory_.path()).size(), 100u) << "or there is no need for it";
  DatabaseOptions options;
  options.rebuild = true;
  const std::vector<users::v1::User> users = ServedUsers();
  const auto bytes = static_cast<int64_t>(fs::file_size(path_));
  const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path_, options);
  ASSERT_TRUE(info.ok()) << info.status();
  ASSERT_TRUE(info->rebuilt.has_value());
  EXPECT_EQ(info->rebuilt->bytes_before, bytes);
  EXPECT_EQ(info->rebuilt->bytes_after, static_cast<int64_t>(fs::file_size(path_)));
  EXPECT_LT(info->rebuilt->bytes_after, bytes * 3 / 4);
  EXPECT_GT(info->rebuilt->time, absl::ZeroDuration());
  EXPECT_TRUE(erased.FindInDirectory(directory_.path()).empty());
  const std::vector<users::v1::User> after = ServedUsers();
  ASSERT_EQ(after.size(), 1000u);
  for (size_t i = 0; i < after.size(); ++i)
    EXPECT_EQ(after[i].SerializeAsString(), users[i].SerializeAsString());
  EXPECT_TRUE(Prepare(path_).ok());
}

TEST_F(DatabaseTest, RebuildsNothingThatIsNew) {
  DatabaseOptions options;
  options.rebuild = true;
  const absl::StatusOr<DatabaseInfo> info = PrepareDatabase(path_, options);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->created);
  EXPECT_FALSE(info->rebuilt.has_value());
}

TEST_F(DatabaseTest, RefusesToRebuildWhatAnotherProgramHasOpen) {
  ASSERT_TRUE(Prepare(path_).ok());
  OtherProgram other(path_, "SELECT * FROM users");
  DatabaseOptions options;
  options.rebuild = true;
  options.busy_timeout_ms = 20;
  const absl::Status refused = Prepare(path_, options);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  ExpectOneLineWith(refused, {path_, "is locked by another program; stop that program"});
  other.Stop();
  EXPECT_TRUE(Prepare(path_, options).ok());
}

TEST_F(DatabaseTest, TakesAPathWithQuotesAndALineFeedForOneLine) {
  path_ = directory_.File("it's \"odd\"\n?mode=memory#.db");
  std::ofstream(path_) << "hello\n";
  EXPECT_EQ(absl::string_view(Prepare(path_).message()).find('\n'), absl::string_view::npos);
  fs::remove(path_);
  ASSERT_TRUE(Prepare(path_).ok());
  EXPECT_TRUE(fs::exists(path_));
}

}  // namespace
}  // namespace userservice::store
