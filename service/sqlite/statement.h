// Statement: a prepared statement, finalized when it goes. StatementCache: a connection's
// statements by their text, so that each text is compiled once.
//
//   absl::StatusOr<CachedStatement*> statement = cache.Acquire("SELECT 1");
//   ...                       // step (*statement)->get(); reset and unbind it
//   cache.Release(*statement);
//
// QueryScope does exactly this: only it should need to. A text that is in use is compiled a second
// time for its second user, so a query may run inside the rows of the same query. The cache holds
// `capacity` statements at most; over it the one unused for longest goes. Texts over 10 KiB, which
// compile to much, are never kept.
// Threads: the connection's: one at a time.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace userservice::sqlite {

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Compiles exactly one statement; text that holds none or more than one is kInternal.
  // `persistent` tells SQLite that the statement will be kept long.
  static absl::StatusOr<Statement> Prepare(sqlite3* db, std::string_view sql, bool persistent);

  sqlite3_stmt* get() const { return statement_; }

 private:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

// A statement on loan from the cache.
class CachedStatement {
 public:
  sqlite3_stmt* get() const { return statement_.get(); }

 private:
  friend class StatementCache;
  CachedStatement(std::string sql, Statement statement)
      : sql_(std::move(sql)), statement_(std::move(statement)) {}

  std::string sql_;
  Statement statement_;
  bool in_use_ = true;
  bool cached_ = false;
};

class StatementCache {
 public:
  explicit StatementCache(sqlite3* db, size_t capacity = 64) : db_(db), capacity_(capacity) {}
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;
  ~StatementCache();  // every loan was given back

  absl::StatusOr<CachedStatement*> Acquire(std::string_view sql);
  // The statement must be reset and unbound.
  void Release(CachedStatement* statement);

  size_t size() const { return statements_.size(); }
  size_t on_loan() const { return on_loan_; }

 private:
  using List = std::list<CachedStatement*>;  // most recently used first; owns what it points at

  bool MakeRoom();  // false: all that is cached is in use

  sqlite3* const db_;
  const size_t capacity_;
  size_t on_loan_ = 0;
  List statements_;
  std::unordered_map<std::string_view, List::iterator>
      by_sql_;  // keys point into the statements' own texts
};

}  // namespace userservice::sqlite
