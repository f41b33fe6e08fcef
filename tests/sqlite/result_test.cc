#include "service/sqlite/result.h"

#include <sqlite3.h>

#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "service/sqlite/query_scope.h"
#include "tests/sqlite/test_database.h"

namespace userservice::sqlite {
namespace {

TEST(Result, IsTranslatedByItsExtendedCode) {
  const std::vector<std::pair<int, absl::StatusCode>> expected = {
      {SQLITE_CONSTRAINT_UNIQUE, absl::StatusCode::kAlreadyExists},
      {SQLITE_CONSTRAINT_PRIMARYKEY, absl::StatusCode::kAlreadyExists},
      {SQLITE_CONSTRAINT_ROWID, absl::StatusCode::kAlreadyExists},
      {SQLITE_CONSTRAINT_CHECK, absl::StatusCode::kFailedPrecondition},
      {SQLITE_CONSTRAINT_NOTNULL, absl::StatusCode::kFailedPrecondition},
      {SQLITE_INTERRUPT, absl::StatusCode::kCancelled},
      {SQLITE_FULL, absl::StatusCode::kResourceExhausted},
      {SQLITE_BUSY, absl::StatusCode::kUnavailable},
      {SQLITE_BUSY_SNAPSHOT, absl::StatusCode::kUnavailable},
      {SQLITE_LOCKED, absl::StatusCode::kUnavailable},
      {SQLITE_IOERR_FSYNC, absl::StatusCode::kUnavailable},
      {SQLITE_CANTOPEN_ISDIR, absl::StatusCode::kUnavailable},
      {SQLITE_NOMEM, absl::StatusCode::kUnavailable},
      {SQLITE_CORRUPT_INDEX, absl::StatusCode::kDataLoss},
      {SQLITE_NOTADB, absl::StatusCode::kDataLoss},
      {SQLITE_READONLY_DBMOVED, absl::StatusCode::kPermissionDenied},
      {SQLITE_AUTH, absl::StatusCode::kPermissionDenied},
      {SQLITE_PERM, absl::StatusCode::kPermissionDenied},
      {SQLITE_MISUSE, absl::StatusCode::kInternal},
      {SQLITE_ERROR, absl::StatusCode::kInternal},
  };
  for (const auto& [result, code] : expected) {
    const absl::Status status = StatusFromResult(nullptr, result, "pets.db");
    EXPECT_EQ(status.code(), code) << result;
    EXPECT_EQ(ExtendedResultCode(status), result);
    EXPECT_EQ(status.message().substr(0, 9), "pets.db: ");
  }
}

TEST(Result, OfSuccessIsOk) {
  EXPECT_TRUE(StatusFromResult(nullptr, SQLITE_OK).ok());
  EXPECT_TRUE(StatusFromResult(nullptr, SQLITE_ROW).ok());
  EXPECT_TRUE(StatusFromResult(nullptr, SQLITE_DONE).ok());
}

TEST(Result, CodeIsZeroForAStatusThatIsNotOfSqlite) {
  EXPECT_EQ(ExtendedResultCode(absl::OkStatus()), 0);
  EXPECT_EQ(ExtendedResultCode(absl::InternalError("other")), 0);
}

TEST(Result, KeepsTheMessageOfTheConnection) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  const absl::Status taken = RunCached(*connection, "INSERT INTO pets (name) VALUES ('Rex')");
  EXPECT_EQ(taken.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(taken.message(), "UNIQUE constraint failed: pets.name");
  const absl::Status young =
      RunCached(*connection, "INSERT INTO pets (name, age) VALUES ('Tom', -1)");
  EXPECT_EQ(young.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ExtendedResultCode(young), SQLITE_CONSTRAINT_CHECK);
}

TEST(Result, OfAFullDatabaseIsResourceExhausted) {
  const TestDatabase database;
  const auto connection = database.Open(OpenMode::kReadWrite);
  ASSERT_TRUE(connection->Execute("PRAGMA max_page_count = 4").ok());
  const absl::Status full =
      RunCached(*connection, "INSERT INTO pets (name) VALUES (hex(randomblob(100000)))");
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace userservice::sqlite
