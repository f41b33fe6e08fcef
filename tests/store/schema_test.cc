#include "service/store/schema.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/transaction.h"
#include "tests/support/temporary_directory.h"

namespace userservice::store {
namespace {

using sqlite::Transaction;

constexpr char kVersion1[] =
    "CREATE TABLE users (user_id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(100) NOT NULL,"
    " email VARCHAR(150) UNIQUE NOT NULL, age INTEGER CHECK(age >= 0 AND age <= 150),"
    " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)";

constexpr char kIndexNames[] =
    "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'index' AND"
    " tbl_name = 'users' AND sql NOT NULL ORDER BY name)";
constexpr char kAllIndexes[] =
    "users_by_age,users_by_create_time,users_by_email,users_by_name,users_by_revision,"
    "users_by_update_time";

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() {
    auto opened = sqlite::Connection::Open(
        sqlite::ConnectionOptions(directory_.File("users.db"), sqlite::OpenMode::kCreate));
    EXPECT_TRUE(opened.ok()) << opened.status();
    connection_ = *std::move(opened);
  }

  void Execute(const std::string& sql) {
    const absl::Status status = connection_->Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status << " in " << sql;
  }

  // The rows, columns joined by '|', rows by ' '.
  std::string Rows(const std::string& sql, int columns) {
    sqlite::QueryScope row(*connection_, sql);
    std::string text;
    for (;;) {
      const absl::StatusOr<bool> found = row.Step();
      EXPECT_TRUE(found.ok()) << found.status() << " in " << sql;
      if (!found.ok() || !*found) return text;
      if (!text.empty()) text += ' ';
      for (int i = 0; i < columns; ++i) {
        if (i > 0) text += '|';
        text += row.IsNull(i) ? "NULL" : std::string(row.Text(i));
      }
    }
  }

  absl::Status Migrate(int version) {
    auto transaction = Transaction::Begin(*connection_, Transaction::Kind::kImmediate);
    if (!transaction.ok()) return transaction.status();
    absl::Status migrated = MigrateSchema(*connection_, version);
    if (migrated.ok()) migrated = EnsureIndexes(*connection_);
    return migrated.ok() ? transaction->Commit() : migrated;
  }

  // What version 3 changed, undone.
  void MakeVersion2() {
    Execute(
        "DROP INDEX users_by_name; DROP INDEX users_by_email; DROP INDEX users_by_age;"
        "DROP INDEX users_by_create_time; DROP INDEX users_by_update_time;"
        "CREATE UNIQUE INDEX users_by_email_nocase ON users(email COLLATE NOCASE);"
        "PRAGMA user_version = 2");
  }

  TemporaryDirectory directory_;
  std::unique_ptr<sqlite::Connection> connection_;
};

TEST_F(SchemaTest, AnEmptyDatabaseIsVersion0AndBecomesTodays) {
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), 0);
  ASSERT_TRUE(Migrate(0).ok());
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), kSchemaVersion);
  EXPECT_EQ(Rows("PRAGMA user_version", 1), std::to_string(kSchemaVersion));
  EXPECT_EQ(Rows("SELECT key, length(value) FROM service_state WHERE key = 'page_token_key'", 2),
            "page_token_key|32");
}

TEST_F(SchemaTest, ATableWithoutAVersionIsVersion1) {
  Execute(kVersion1);
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), 1);
}

TEST_F(SchemaTest, AnUpgradeNumbersTheRowsInIdOrder) {
  Execute(kVersion1);
  Execute(
      "INSERT INTO users (user_id, name, email, created_at) VALUES"
      " (9, 'c', 'c@x.org', '2024-01-01 00:00:00'), (2, 'a', 'a@x.org', NULL),"
      " (5, 'b', 'b@x.org', '2023-01-01 00:00:00')");
  ASSERT_TRUE(Migrate(1).ok());
  EXPECT_EQ(Rows("SELECT user_id, revision, updated_at FROM users ORDER BY user_id", 3),
            "2|1|NULL 5|2|2023-01-01 00:00:00 9|3|2024-01-01 00:00:00");
  EXPECT_EQ(Rows("PRAGMA quick_check", 1), "ok");
}

TEST_F(SchemaTest, EveryDatabaseHasAKeyOfItsOwn) {
  ASSERT_TRUE(Migrate(0).ok());
  const std::string key =
      Rows("SELECT hex(value) FROM service_state WHERE key = 'page_token_key'", 1);
  Execute(
      "DROP TABLE users; DROP TABLE tombstones; DROP TABLE request_ids; DROP TABLE service_state");
  ASSERT_TRUE(Migrate(0).ok());
  EXPECT_NE(Rows("SELECT hex(value) FROM service_state WHERE key = 'page_token_key'", 1), key);
}

TEST_F(SchemaTest, NamesUsersWhoseEmailsDifferInCaseAlone) {
  Execute(kVersion1);
  EXPECT_TRUE(CheckUpgradable(*connection_).ok());
  Execute(
      "INSERT INTO users (name, email) VALUES ('a', 'ann@x.org'), ('b', 'bob@x.org'),"
      " ('c', 'ANN@x.org'), ('d', 'Bob@x.org'), ('e', 'eve@x.org')");
  const absl::Status refused = CheckUpgradable(*connection_);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "user_id 1 and 3, of user_id 2 and 4 differ"))
      << refused;
  EXPECT_FALSE(absl::StrContains(refused.message(), "@")) << "a log is no place for e-mails";
  EXPECT_FALSE(Migrate(1).ok()) << "also where nobody asked first";
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), 1);
}

TEST_F(SchemaTest, NamesUsersOfOneEmailAsTextAndAsBytes) {
  Execute(kVersion1);
  Execute(
      "INSERT INTO users (name, email) VALUES ('a', 'ann@x.org'), ('b', CAST('ANN@x.org' AS "
      "BLOB))");
  EXPECT_TRUE(absl::StrContains(CheckUpgradable(*connection_).message(), "user_id 1 and 2 differ"));
}

TEST_F(SchemaTest, CountsTheRestOfManySuchUsers) {
  Execute(kVersion1);
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    Execute("INSERT INTO users (name, email) VALUES ('a', 'u" + n + "@x.org'), ('a', 'U" + n +
            "@x.org')");
  }
  EXPECT_TRUE(absl::StrContains(CheckUpgradable(*connection_).message(), "(and 3 more)"));
}

TEST_F(SchemaTest, RefusesANewerVersionAndOneThatIsNone) {
  ASSERT_TRUE(Migrate(0).ok());
  for (const std::string& version : {std::to_string(kSchemaVersion + 1), std::string("-1")}) {
    Execute("PRAGMA user_version = " + version);
    const absl::Status refused = ReadSchemaVersion(*connection_).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(absl::StrContains(refused.message(), version)) << refused;
  }
}

TEST_F(SchemaTest, RefusesATableOfAnotherShape) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"email VARCHAR(150) UNIQUE NOT NULL", "email VARCHAR(150) NOT NULL"},
      {"email VARCHAR(150) UNIQUE NOT NULL", "email VARCHAR(150) UNIQUE"},
      {"PRIMARY KEY AUTOINCREMENT", "PRIMARY KEY"},
      {"age INTEGER", "age TEXT"},
      {"name VARCHAR(100) NOT NULL, email", "email"},
      {"created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP", "born_at TIMESTAMP"},
      {"CURRENT_TIMESTAMP)", "CURRENT_TIMESTAMP, phone TEXT)"},
      {"CREATE TABLE users", "CREATE TABLE people"},
  };
  for (const auto& [expected, other] : changes) {
    const std::string ddl = absl::StrReplaceAll(kVersion1, {{expected, other}});
    ASSERT_NE(ddl, kVersion1);
    Execute(ddl);
    const absl::Status refused = ReadSchemaVersion(*connection_).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << ddl;
    EXPECT_TRUE(absl::StrContains(refused.message(), "name another file")) << refused;
    Execute("DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS people");
  }
}

TEST_F(SchemaTest, RefusesTextsOfAnotherEncoding) {
  Execute("PRAGMA encoding = 'UTF-16le'");
  Execute(kVersion1);
  const absl::Status refused = ReadSchemaVersion(*connection_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "UTF-16le")) << refused;
}

TEST_F(SchemaTest, MakesTheIndexOfRevisionsAnew) {
  ASSERT_TRUE(Migrate(0).ok());
  Execute("DROP INDEX users_by_revision");
  ASSERT_TRUE(EnsureIndexes(*connection_).ok());
  Execute("SELECT revision FROM users INDEXED BY users_by_revision WHERE revision > 0");
}

TEST_F(SchemaTest, RefusesTodaysVersionWithoutItsTables) {
  ASSERT_TRUE(Migrate(0).ok());
  Execute("DROP TABLE request_ids");
  const absl::Status refused = ReadSchemaVersion(*connection_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "request_ids")) << refused;
}

// Version 2 as it was, with a row whose e-mail another program wrote as bytes.
TEST_F(SchemaTest, Version2GetsItsIndexesAndKeepsItsRows) {
  Execute(kVersion1);
  Execute("INSERT INTO users (name, email, age) VALUES ('a', 'ann@x.org', 30)");
  ASSERT_TRUE(Migrate(1).ok());
  MakeVersion2();
  Execute("INSERT INTO users (name, email) VALUES ('b', x'626f62')");
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), 2);
  EXPECT_TRUE(CheckUpgradable(*connection_).ok());
  ASSERT_TRUE(Migrate(2).ok());
  EXPECT_EQ(Rows("SELECT user_id, name, CAST(email AS TEXT), age, revision FROM users", 5),
            "1|a|ann@x.org|30|1 2|b|bob|NULL|0");
  EXPECT_EQ(Rows(kIndexNames, 1), kAllIndexes);
  EXPECT_EQ(Rows("PRAGMA integrity_check", 1), "ok");
}

TEST_F(SchemaTest, Version2WithAnEmailAsTextAndAsBytesIsNotUpgraded) {
  ASSERT_TRUE(Migrate(0).ok());
  MakeVersion2();
  Execute("INSERT INTO users (name, email) VALUES ('a', 'Bob'), ('b', x'626f62')");
  EXPECT_TRUE(absl::StrContains(CheckUpgradable(*connection_).message(), "user_id 1 and 2 differ"));
  EXPECT_FALSE(Migrate(2).ok());
  EXPECT_EQ(ReadSchemaVersion(*connection_).value(), 2);
}

TEST_F(SchemaTest, IndexesThatAnotherProgramChangedAreMadeAnew) {
  ASSERT_TRUE(Migrate(0).ok());
  const std::string indexes = "SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name";
  const std::string ours = Rows(indexes, 1);
  Execute(
      "DROP INDEX users_by_age; CREATE INDEX users_by_age ON users(age);"
      "DROP INDEX users_by_name; CREATE INDEX users_by_name ON tombstones(revision);"
      "DROP INDEX users_by_email");
  EXPECT_NE(Rows(indexes, 1), ours);
  ASSERT_TRUE(EnsureIndexes(*connection_).ok());
  EXPECT_EQ(Rows(indexes, 1), ours);
  const int64_t changes = connection_->total_changes();
  ASSERT_TRUE(EnsureIndexes(*connection_).ok());
  EXPECT_EQ(connection_->total_changes(), changes) << "nothing where they are right";
}

// The indexes evaluate what is stored, and must take anything.
TEST_F(SchemaTest, AnyValueCanBeStored) {
  ASSERT_TRUE(Migrate(0).ok());
  for (const std::string value :
       {"NULL", "'now'", "'localtime'", "''", "x'00ff'", "5", "-1e300", "9223372036854775807",
        "'2024-05-01 12:00:00' || char(0) || 'now'", "'99999-99-99 99:99:99'",
        "'2024-05-01 12:00:00.5+99:99'", "zeroblob(100000)"}) {
    Execute("INSERT INTO users (name, email, created_at, updated_at) VALUES (coalesce(" + value +
            ", 0), hex(randomblob(9)), " + value + ", " + value + ")");
    Execute("UPDATE users SET updated_at = " + value);
  }
  EXPECT_EQ(Rows("PRAGMA integrity_check", 1), "ok");
}

}  // namespace
}  // namespace userservice::store
