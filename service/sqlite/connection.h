// Connection: one open database file, with every setting of this project's connections made here.
//
//   ConnectionOptions options("users.db", OpenMode::kReadOnly);
//   absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
//   QueryScope rows(**connection, "SELECT name FROM users WHERE user_id = ?");
//
// A read-only connection can not write, in three ways that each suffice: the open flag, PRAGMA
//   query_only, and an authorizer that compiles nothing but queries (and no ATTACH).
// Settings: foreign keys on, synchronous=FULL, secure_delete on, temporary tables in memory,
//   cell_size_check, schema not trusted, defensive, no extensions, no double-quoted strings.
//   A write-ahead log is a property of the file: see SetWriteAheadLog.
// Erasing: what is deleted is overwritten in the file, see erasing_vfs.h. With temporary tables
//   sorters and the journals of savepoints are in memory too: no statement makes a file.
// Functions: visit_row(), which shows a row to the visitor of QueryScope::Visit.
// Waiting: for another's lock `busy_timeout_ms` at most, and never past the limits of the
//   statement that waits.
// Threads: one at a time, any (SQLite's own locks are off); active_statements() from any thread.
// Errors: see result.h; those of Open name the file.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/sqlite/query_limits.h"
#include "service/sqlite/row_values.h"
#include "service/sqlite/statement.h"

struct sqlite3;
struct sqlite3_context;

namespace userservice::sqlite {

enum class OpenMode { kReadOnly, kReadWrite, kCreate };

// What keeps a read-only connection from writing. All of them; tests leave one on to see that it is
// enough.
struct ReadOnlyGuards {
  bool open_flag = true;
  bool query_only = true;
  bool authorizer = true;
};

struct ConnectionOptions {
  ConnectionOptions(std::string database_path, OpenMode open_mode)
      : path(std::move(database_path)), mode(open_mode) {}

  std::string path;  // of a file, whatever it looks like: no URI, no ":memory:"
  OpenMode mode;
  int busy_timeout_ms = 5000;
  int cache_kib = 8192;
  bool yields = false;     // in long statements, to threads that wait for its processor
  int64_t mmap_bytes = 0;  // 0: read(2), where an I/O error is an error and not a signal
  int statement_cache_size = 64;
  int wal_autocheckpoint_pages = 1000;      // 0: none; the owner checkpoints
  int64_t wal_size_max_bytes = 64LL << 20;  // what a checkpointed WAL file is cut back to

  ReadOnlyGuards read_only_guards;

  // For looking at a file that is not to change in any way; see inspection.h.
  bool immutable = false;  // nobody else writes it: no lock, no -shm
  bool exclusive = false;  // lock out everybody, keep the WAL's index in memory: no -shm
  bool keep_wal = false;   // neither checkpoint nor delete the WAL on closing
};

class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();  // all scopes have ended

  // Runs one or more statements that take no parameters; rows are ignored. For DDL and PRAGMAs:
  // nothing is cached, no limit applies.
  absl::Status Execute(const char* sql);

  bool in_transaction() const;
  int64_t last_insert_rowid() const;
  int64_t changes() const;        // rows that the last INSERT, UPDATE or DELETE wrote
  int64_t total_changes() const;  // since opening

  // Pages in the write-ahead log after this connection's last commit. Only where the owner
  // checkpoints (wal_autocheckpoint_pages is 0); else 0.
  int64_t wal_pages() const { return wal_pages_; }

  // Statements that were stepped and are not reset. Any thread.
  size_t active_statements() const { return active_statements_.load(std::memory_order_relaxed); }
  // Statements kept compiled, and statements lent to scopes.
  size_t cached_statements() const { return cache_.size(); }
  size_t open_scopes() const { return cache_.on_loan(); }

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return db_.get(); }  // for this folder and its tests

 private:
  friend class QueryScope;

  enum class Limit { kNone, kDeadline, kStop };
  struct Closer {
    void operator()(sqlite3* db) const;
  };

  Connection(sqlite3* db, const ConnectionOptions& options);
  absl::Status Configure(const ConnectionOptions& options);
  absl::Status Prohibit(const ConnectionOptions& options);

  static int OnProgress(void* connection);
  void Yield();
  static int OnBusy(void* connection, int attempt);
  static int OnCommit(void* connection, sqlite3* db, const char* schema, int wal_pages);
  static void OnVisit(sqlite3_context* context, int count, sqlite3_value** values);
  static Limit Exceeded(const QueryLimits& limits);

  // The count has one writer, so it needs no read-modify-write.
  void CountActive(int change) {
    active_statements_.store(
        active_statements_.load(std::memory_order_relaxed) + static_cast<size_t>(change),
        std::memory_order_relaxed);
  }

  const std::string path_;
  const absl::Duration busy_timeout_;
  const bool yields_;
  std::unique_ptr<sqlite3, Closer> db_;
  StatementCache cache_;
  const QueryLimits* limits_ = nullptr;  // of the step that runs now
  Limit limit_hit_ = Limit::kNone;       // what stopped it
  const RowVisitor* visitor_ = nullptr;  // of the step that runs now
  absl::Time busy_since_;
  std::chrono::steady_clock::time_point turn_end_;  // until then it does not yield
  int64_t wal_pages_ = 0;
  std::atomic<size_t> active_statements_{0};
};

// Makes the file's journal a write-ahead log, for good. Needs a writable connection outside a
// transaction.
absl::Status SetWriteAheadLog(Connection& connection);

}  // namespace userservice::sqlite
