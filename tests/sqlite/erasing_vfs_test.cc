// What is deleted leaves no piece in the file, whatever a random history does to it, and all else
// is as SQLite wrote it.
#include "service/sqlite/erasing_vfs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "tests/support/erased_texts.h"
#include "tests/support/sanitized.h"
#include "tests/support/temporary_directory.h"

namespace userservice::sqlite {
namespace {

using ::testing::IsEmpty;

struct Person {
  std::string name;
  std::string email;
  std::string note;  // may be longer than a page

  bool operator==(const Person&) const = default;
};
using People = std::map<int64_t, Person>;

constexpr char kTables[] =
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE NOT NULL,"
    "                     note TEXT);"
    "CREATE INDEX people_by_name ON people(name COLLATE NOCASE);"
    "CREATE TABLE requests (email TEXT PRIMARY KEY, person INTEGER, note TEXT) WITHOUT ROWID;"
    "CREATE INDEX requests_by_person ON requests(person, email);";

struct Layout {
  int page_bytes;
  std::string journal_mode;
  int auto_vacuum = 0;
};

std::ostream& operator<<(std::ostream& out, const Layout& layout) {
  return out << layout.page_bytes << " bytes a page, journal_mode " << layout.journal_mode
             << ", auto_vacuum " << layout.auto_vacuum;
}

// Random writes, and what the database should hold after them.
class History {
 public:
  History(Connection& connection, const Layout& layout)
      : connection_(connection), layout_(layout) {}

  void Run(int transactions) {
    for (int i = 0; i < transactions; ++i) {
      const People before = people_;
      Execute("BEGIN IMMEDIATE");
      const int steps = Below(40) + 1;
      for (int step = 0; step < steps; ++step) Step();
      const bool undo = Below(12) == 0;
      Execute(undo ? "ROLLBACK" : "COMMIT");
      if (undo) Undo(before);
      for (const Person& person : gone_) Erase(person);
      gone_.clear();
      if (layout_.journal_mode == "WAL" && Below(5) == 0)
        Execute(Below(3) == 0 ? "PRAGMA wal_checkpoint(RESTART)" : "PRAGMA wal_checkpoint");
    }
    if (layout_.journal_mode == "WAL") Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  const People& people() const { return people_; }
  const ErasedTexts& erased() const { return erased_; }
  int deleted() const { return deleted_; }

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }

  std::string Text(int bytes) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text.push_back(kLetters[static_cast<size_t>(Below(static_cast<int>(kLetters.size())))]);
    return text;
  }
  Person MakePerson() {
    const int note = Below(30) == 0 ? Below(3 * std::min(layout_.page_bytes, 4096)) : Below(60);
    return {Text(10 + Below(90)), Text(10 + Below(60)), Text(note)};
  }

  void Step() {
    const bool grows = people_.size() < 500;
    const int dice = Below(100);
    if (people_.empty() || dice < (grows ? 60 : 35)) {
      Insert();
    } else if (dice < 70) {
      Update(Anybody());
    } else {
      Delete(Anybody());
    }
  }

  People::iterator Anybody() {
    const auto found = people_.lower_bound(Below(static_cast<int>(next_id_)));
    return found == people_.end() ? people_.begin() : found;
  }

  void Insert() {
    const int64_t id = next_id_++;
    const Person person = MakePerson();
    Write("INSERT INTO people (name, email, note, id) VALUES (?, ?, ?, ?)", person, id);
    WriteRequest(person, id);
    people_[id] = person;
  }
  void Update(People::iterator found) {
    const Person person = MakePerson();
    Write("UPDATE people SET name = ?, email = ?, note = ? WHERE id = ?", person, found->first);
    WriteById("DELETE FROM requests WHERE person = ?", found->first);
    WriteRequest(person, found->first);
    gone_.push_back(found->second);
    found->second = person;
  }
  void Delete(People::iterator found) {
    WriteById("DELETE FROM people WHERE id = ?", found->first);
    WriteById("DELETE FROM requests WHERE person = ?", found->first);
    gone_.push_back(found->second);
    people_.erase(found);
    ++deleted_;
  }

  void Write(std::string_view sql, const Person& person, int64_t id) {
    QueryScope write(connection_, sql);
    const absl::Status status = write.Bind(person.name, person.email, person.note, id).Run();
    EXPECT_TRUE(status.ok()) << status;
  }
  void WriteRequest(const Person& person, int64_t id) {
    QueryScope write(connection_, "INSERT INTO requests (email, person, note) VALUES (?, ?, ?)");
    const absl::Status status = write.Bind(person.email, id, person.note).Run();
    EXPECT_TRUE(status.ok()) << status;
  }
  void WriteById(std::string_view sql, int64_t id) {
    QueryScope write(connection_, sql);
    const absl::Status status = write.Bind(id).Run();
    EXPECT_TRUE(status.ok()) << status;
  }
  void Execute(const char* sql) {
    const absl::Status status = connection_.Execute(sql);
    EXPECT_TRUE(status.ok()) << status << " in " << sql;
  }

  void Erase(const Person& person) {
    for (const std::string& text : {person.name, person.email, person.note}) erased_.Add(text);
  }
  // What was deleted is back, and what was new is gone.
  void Undo(const People& before) {
    for (const auto& [id, person] : people_) gone_.push_back(person);
    std::set<std::string> emails;
    for (const auto& [id, person] : before) emails.insert(person.email);
    std::erase_if(gone_, [&](const Person& person) { return emails.count(person.email) != 0; });
    people_ = before;
  }

  Connection& connection_;
  const Layout layout_;
  std::mt19937_64 random_{7};
  int64_t next_id_ = 1;
  People people_;
  std::vector<Person> gone_;  // by the open transaction
  ErasedTexts erased_;
  int deleted_ = 0;
};

// What the file holds by SQLite's own eyes, without the VFS.
People ReadPeople(const std::string& path) {
  People people;
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  const auto check = [](void*, int, char** columns, char**) {
    EXPECT_STREQ(columns[0], "ok");
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, "PRAGMA integrity_check", check, nullptr, nullptr), SQLITE_OK);
  const auto add = [](void* kept, int, char** columns, char**) {
    (*static_cast<People*>(kept))[std::stoll(columns[0])] = {columns[1], columns[2], columns[3]};
    EXPECT_STREQ(columns[3], columns[4]) << "the copy in the other table";
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db,
                         "SELECT id, name, p.email, p.note, r.note FROM people AS p LEFT JOIN "
                         "requests AS r ON r.person = id AND r.email = p.email",
                         add, &people, nullptr),
            SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
  return people;
}

void ExecuteOutside(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

class ErasingVfsLayoutTest : public ::testing::TestWithParam<Layout> {};

TEST_P(ErasingVfsLayoutTest, LeavesNoPieceOfWhatWasDeletedAndChangesNothingElse) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("people.db");
  ExecuteOutside(path,
                 absl::StrCat("PRAGMA page_size = ", GetParam().page_bytes,
                              "; PRAGMA auto_vacuum = ", GetParam().auto_vacuum, ";", kTables));
  ConnectionOptions options(path, OpenMode::kReadWrite);
  options.wal_autocheckpoint_pages = 0;
  options.cache_kib = 16 * GetParam().page_bytes / 1024;  // pages leave it in the midst of writes
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const std::string settings =
      absl::StrCat("PRAGMA synchronous = OFF; PRAGMA journal_mode = ", GetParam().journal_mode);
  ASSERT_TRUE((*connection)->Execute(settings.c_str()).ok());
  History history(**connection, GetParam());
  history.Run(Scaled(250, 60));
  EXPECT_GT(history.deleted(), Scaled(800, 100));
  if (GetParam().auto_vacuum == 0) {
    EXPECT_THAT(history.erased().FindInDirectory(directory.path()), IsEmpty());
  }
  connection->reset();
  EXPECT_EQ(ReadPeople(path), history.people());
}

// With auto_vacuum there is a page behind the first that may look like a b-tree's.
INSTANTIATE_TEST_SUITE_P(Layouts, ErasingVfsLayoutTest,
                         ::testing::Values(Layout{512, "WAL"}, Layout{1024, "DELETE"},
                                           Layout{4096, "WAL"}, Layout{4096, "DELETE"},
                                           Layout{4096, "TRUNCATE"}, Layout{65536, "WAL"},
                                           Layout{512, "WAL", 1}, Layout{1024, "DELETE", 2}));

// A file as SQLite sees it through the VFS: pages of 512 bytes.
class RawFile {
 public:
  static constexpr size_t kPageBytes = 512;

  explicit RawFile(const std::string& path)
      : name_(sqlite3_create_filename(path.c_str(), "", "", 0, nullptr)) {
    sqlite3_initialize();
    ErasingVfs();
    sqlite3_vfs* const vfs = sqlite3_vfs_find(ErasingVfs());
    memory_.resize(static_cast<size_t>(vfs->szOsFile));
    const int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int flags_out = 0;
    EXPECT_EQ(vfs->xOpen(vfs, name_, file(), flags, &flags_out), SQLITE_OK);
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() {
    file()->pMethods->xClose(file());
    sqlite3_free_filename(name_);
  }

  void HintPages(sqlite3_int64 pages) {
    sqlite3_int64 bytes = pages * static_cast<sqlite3_int64>(kPageBytes);
    EXPECT_EQ(file()->pMethods->xFileControl(file(), SQLITE_FCNTL_SIZE_HINT, &bytes), SQLITE_OK);
  }
  // Writes a page and reads what became of it; pages count from 1.
  std::string Write(const std::string& page, sqlite3_int64 number) {
    const sqlite3_int64 at = (number - 1) * static_cast<sqlite3_int64>(kPageBytes);
    const int bytes = static_cast<int>(page.size());
    EXPECT_EQ(file()->pMethods->xWrite(file(), page.data(), bytes, at), SQLITE_OK);
    std::string read(page.size(), '?');
    EXPECT_EQ(file()->pMethods->xRead(file(), read.data(), bytes, at), SQLITE_OK);
    return read;
  }

 private:
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

  const sqlite3_filename name_;
  std::vector<unsigned char> memory_;
};

// An empty leaf of a table, full of what SQLite has left there.
std::string StalePage() {
  std::string page(RawFile::kPageBytes, 'x');
  page.replace(0, 8, std::string("\x0d\0\0\0\0\x02\0\0", 8));
  return page;
}

TEST(ErasingVfsTest, WritesZerosIntoTheGapOfAPage) {
  const TemporaryDirectory directory;
  RawFile file(directory.File("people.db"));
  const std::string erased = StalePage().substr(0, 8) + std::string(RawFile::kPageBytes - 8, '\0');
  EXPECT_EQ(file.Write(StalePage(), 2), erased);
  EXPECT_EQ(file.Write(StalePage(), 3), erased);
}

TEST(ErasingVfsTest, LeavesDatabasesAloneWhoseOverflowPagesMayLookLikeTrees) {
  const TemporaryDirectory directory;
  RawFile file(directory.File("people.db"));
  file.HintPages((1 << 24) - 1);
  EXPECT_NE(file.Write(StalePage(), 2), StalePage());
  file.HintPages(1 << 24);
  EXPECT_EQ(file.Write(StalePage(), 2), StalePage());
}

TEST(ErasingVfsTest, LeavesDatabasesWithAutoVacuumAlone) {
  const TemporaryDirectory directory;
  RawFile file(directory.File("people.db"));
  std::string first(RawFile::kPageBytes, '\0');
  first[55] = 3;  // the largest root page
  EXPECT_EQ(file.Write(first, 1), first);
  EXPECT_EQ(file.Write(StalePage(), 2), StalePage());
}

TEST(ErasingVfsTest, WritesWhatIsNoPageAsItIs) {
  const TemporaryDirectory directory;
  RawFile file(directory.File("people.db"));
  const std::string part = StalePage().substr(0, 100);
  EXPECT_EQ(file.Write(part, 2), part);
}

}  // namespace
}  // namespace userservice::sqlite
