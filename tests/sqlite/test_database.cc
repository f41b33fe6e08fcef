#include "tests/sqlite/test_database.h"

#include <sqlite3.h>

#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "service/sqlite/query_scope.h"

namespace userservice::sqlite {
namespace {

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

}  // namespace

TestDatabase::TestDatabase() {
  const std::unique_ptr<Connection> connection = Open(OpenMode::kCreate);
  Require(SetWriteAheadLog(*connection));
  Require(
      connection->Execute("CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,"
                          "                   age INTEGER CHECK(age >= 0));"
                          "INSERT INTO pets (id, name, age) VALUES (1, 'Rex', 3), (2, 'Mia', 5);"));
}

std::unique_ptr<Connection> TestDatabase::Open(OpenMode mode) const {
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(ConnectionOptions(path(), mode));
  Require(connection.status());
  return *std::move(connection);
}

int64_t TestDatabase::CountPets() const {
  const std::unique_ptr<Connection> connection = Open(OpenMode::kReadOnly);
  QueryScope count(*connection, "SELECT count(*) FROM pets");
  Require(count.Step().status());
  return count.Int64(0);
}

size_t BusyStatements(const Connection& connection) {
  size_t busy = 0;
  for (sqlite3_stmt* statement = sqlite3_next_stmt(connection.handle(), nullptr);
       statement != nullptr; statement = sqlite3_next_stmt(connection.handle(), statement)) {
    if (sqlite3_stmt_busy(statement) != 0) ++busy;
  }
  return busy;
}

std::vector<std::string> PreparedStatements(const Connection& connection) {
  std::vector<std::string> texts;
  for (sqlite3_stmt* statement = sqlite3_next_stmt(connection.handle(), nullptr);
       statement != nullptr; statement = sqlite3_next_stmt(connection.handle(), statement)) {
    char* const text = sqlite3_expanded_sql(statement);
    texts.emplace_back(text);
    sqlite3_free(text);
  }
  return texts;
}

}  // namespace userservice::sqlite
