#include "tests/bench/contestants/sqlite_floor.h"

#include <sqlite3.h>

#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace userservice::bench {
namespace {

void Check(sqlite3* db, int result) {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
  std::cerr << "SQLite: " << sqlite3_errmsg(db) << '\n';
  std::exit(EXIT_FAILURE);
}

}  // namespace

FloorDatabase::FloorDatabase(const std::string& path, int cache_kib) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  Check(db_,
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
  Execute("PRAGMA busy_timeout = 5000");
  Execute("PRAGMA synchronous = FULL");
  Execute("PRAGMA secure_delete = ON");
  Execute(absl::StrCat("PRAGMA cache_size = ", -cache_kib).c_str());
  Execute("PRAGMA wal_autocheckpoint = 0");
  sqlite3_wal_hook(
      db_,
      [](void* database, sqlite3* /*db*/, const char* /*schema*/, int pages) {
        static_cast<FloorDatabase*>(database)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
}

FloorDatabase::~FloorDatabase() { sqlite3_close(db_); }

void FloorDatabase::Execute(const char* sql) {
  Check(db_, sqlite3_exec(db_, sql, nullptr, nullptr, nullptr));
}

int64_t FloorDatabase::Number(const char* sql) {
  FloorStatement statement(*this, sql);
  statement.Step();
  return statement.ReadColumns();
}

FloorStatement::FloorStatement(FloorDatabase& database, const char* sql) : database_(database) {
  Check(database.handle(), sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                              &statement_, nullptr));
}

FloorStatement::~FloorStatement() { sqlite3_finalize(statement_); }

void FloorStatement::Bind(int index, int64_t value) {
  Check(database_.handle(), sqlite3_bind_int64(statement_, index, value));
}

void FloorStatement::Bind(int index, const std::string& text) {
  Check(database_.handle(), sqlite3_bind_text(statement_, index, text.data(),
                                              static_cast<int>(text.size()), SQLITE_STATIC));
}

bool FloorStatement::Step() {
  const int result = sqlite3_step(statement_);
  Check(database_.handle(), result);
  return result == SQLITE_ROW;
}

void FloorStatement::Reset() { Check(database_.handle(), sqlite3_reset(statement_)); }

int64_t FloorStatement::ReadColumns() {
  int64_t sum = 0;
  const int columns = sqlite3_column_count(statement_);
  for (int i = 0; i < columns; ++i) {
    if (sqlite3_column_type(statement_, i) == SQLITE_INTEGER) {
      sum += sqlite3_column_int64(statement_, i);
    } else {
      sqlite3_column_text(statement_, i);
      sum += sqlite3_column_bytes(statement_, i);
    }
  }
  return sum;
}

}  // namespace userservice::bench
