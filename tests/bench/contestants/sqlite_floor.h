// A database file as the raw loops use it: SQLite's own interface, with the settings that userd's
// connections have where they bear on durability or on what is cached, and nothing around it.
//
// Errors end the program, with SQLite's message.
#pragma once

#include <cstdint>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace userservice::bench {

class FloorDatabase {
 public:
  // The page cache may grow to `cache_kib`.
  explicit FloorDatabase(const std::string& path, int cache_kib = 8192);
  ~FloorDatabase();
  FloorDatabase(const FloorDatabase&) = delete;
  FloorDatabase& operator=(const FloorDatabase&) = delete;

  void Execute(const char* sql);
  // The only column of the first row.
  int64_t Number(const char* sql);
  // Pages in the write-ahead log after the last commit.
  int wal_pages() const { return wal_pages_; }
  sqlite3* handle() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
  int wal_pages_ = 0;
};

class FloorStatement {
 public:
  FloorStatement(FloorDatabase& database, const char* sql);
  ~FloorStatement();
  FloorStatement(const FloorStatement&) = delete;
  FloorStatement& operator=(const FloorStatement&) = delete;

  void Bind(int index, int64_t value);
  void Bind(int index, const std::string& text);  // must live until Reset
  // True for a row, false for the end.
  bool Step();
  void Reset();
  // Reads all columns of the row, as whoever answers with it must; gives back the sum of the
  // numbers and of the lengths, which keeps the compiler from leaving the reading out.
  int64_t ReadColumns();

 private:
  FloorDatabase& database_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace userservice::bench
