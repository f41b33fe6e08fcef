// What the tests of this folder share: a small database, and a look at what SQLite itself says is
// open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/sqlite/connection.h"
#include "tests/support/temporary_directory.h"

namespace userservice::sqlite {

// Counts for as long as it is let.
inline constexpr char kEndless[] =
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) "
    "SELECT max(n) FROM numbers";

// A file in WAL mode with the table pets(id, name UNIQUE, age CHECK) and two rows: 1 Rex 3, 2
// Mia 5.
class TestDatabase {
 public:
  TestDatabase();

  std::string path() const { return directory_.File("pets.db"); }
  const std::string& directory() const { return directory_.path(); }
  std::unique_ptr<Connection> Open(OpenMode mode) const;
  int64_t CountPets() const;  // as another connection sees it

 private:
  TemporaryDirectory directory_;
};

// Statements that SQLite holds to be running.
size_t BusyStatements(const Connection& connection);
// The texts of all prepared statements, with the values that are bound to them.
std::vector<std::string> PreparedStatements(const Connection& connection);

}  // namespace userservice::sqlite
