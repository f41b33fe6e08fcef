// Transaction: BEGIN on entry; COMMIT when asked; ROLLBACK on every other exit. Savepoint: the same
// inside of one.
//
//   absl::StatusOr<Transaction> transaction =
//       Transaction::Begin(connection, Transaction::Kind::kImmediate);
//   if (!transaction.ok()) return transaction.status();
//   ...
//   return transaction->Commit();
//
// Kinds: kDeferred for reads: the snapshot is that of the first query. kImmediate for writes: waits
//   for the write lock at once, so that no later statement fails with BUSY_SNAPSHOT, which no
//   waiting cures.
// Errors: a failed Commit has rolled back. SQLite itself rolls back on some errors (disk full, I/O,
//   an interrupted write): then Commit and Release say kAborted, and the destructors have nothing
//   to do.
// Misuse is asserted: committing twice, a savepoint outside a transaction.
// Ownership: borrows the connection, which outlives it. Threads: the connection's.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_limits.h"

namespace userservice::sqlite {

class Transaction {
 public:
  enum class Kind { kDeferred, kImmediate };

  // The limits bound the wait for the lock.
  static absl::StatusOr<Transaction> Begin(Connection& connection, Kind kind,
                                           const QueryLimits& limits = QueryLimits());
  // A deferred one; or nothing of its own where one is open, whose snapshot is then read.
  static absl::StatusOr<Transaction> BeginRead(Connection& connection, const QueryLimits& limits);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  [[nodiscard]] absl::Status Commit();
  void Rollback();

 private:
  explicit Transaction(Connection* connection) : connection_(connection) {}

  Connection* connection_;  // null: over, or another's
};

class Savepoint {
 public:
  static absl::StatusOr<Savepoint> Begin(Connection& connection);
  Savepoint(Savepoint&& other) noexcept;
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint();

  // Keeps what was done since Begin, as part of the transaction around it.
  [[nodiscard]] absl::Status Release();
  // Undoes it. The transaction around goes on.
  void Rollback();

 private:
  explicit Savepoint(Connection& connection) : connection_(&connection) {}

  Connection* connection_;  // null: over
};

}  // namespace userservice::sqlite
