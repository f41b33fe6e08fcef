#include "service/sqlite/transaction.h"

#include <cassert>
#include <utility>

#include "service/sqlite/query_scope.h"

namespace userservice::sqlite {
namespace {

absl::Status AlreadyRolledBack() {
  return absl::AbortedError("the transaction was rolled back by an error inside of it");
}

// A rollback fails only if there is nothing to roll back any more, which is what was wanted.
void RunIgnoringErrors(Connection& connection, std::string_view sql) {
  static_cast<void>(RunCached(connection, sql));
}

}  // namespace

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection, Kind kind,
                                               const QueryLimits& limits) {
  assert(!connection.in_transaction() && "transactions do not nest; savepoints do");
  absl::Status begun = RunCached(
      connection, kind == Kind::kImmediate ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED", limits);
  if (!begun.ok()) return begun;
  return Transaction(&connection);
}

absl::StatusOr<Transaction> Transaction::BeginRead(Connection& connection,
                                                   const QueryLimits& limits) {
  if (connection.in_transaction()) return Transaction(nullptr);
  return Begin(connection, Kind::kDeferred, limits);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  if (connection_ != nullptr) Rollback();
}

absl::Status Transaction::Commit() {
  assert(connection_ != nullptr && "the transaction is over");
  if (!connection_->in_transaction()) {
    connection_ = nullptr;
    return AlreadyRolledBack();
  }
  absl::Status committed = RunCached(*connection_, "COMMIT");
  if (!committed.ok()) {
    Rollback();
    return committed;
  }
  connection_ = nullptr;
  return absl::OkStatus();
}

void Transaction::Rollback() {
  assert(connection_ != nullptr && "the transaction is over");
  Connection* const connection = std::exchange(connection_, nullptr);
  if (connection->in_transaction()) RunIgnoringErrors(*connection, "ROLLBACK");
}

absl::StatusOr<Savepoint> Savepoint::Begin(Connection& connection) {
  assert(connection.in_transaction() && "a savepoint belongs inside a transaction");
  if (!connection.in_transaction()) return AlreadyRolledBack();
  // One name for all: the innermost is the one that is meant, and scopes end inside out.
  absl::Status begun = RunCached(connection, "SAVEPOINT scope");
  if (!begun.ok()) return begun;
  return Savepoint(connection);
}

Savepoint::Savepoint(Savepoint&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Savepoint::~Savepoint() {
  if (connection_ != nullptr) Rollback();
}

absl::Status Savepoint::Release() {
  assert(connection_ != nullptr && "the savepoint is over");
  if (!connection_->in_transaction()) {
    connection_ = nullptr;
    return AlreadyRolledBack();
  }
  absl::Status released = RunCached(*connection_, "RELEASE scope");
  if (!released.ok()) {
    Rollback();
    return released;
  }
  connection_ = nullptr;
  return absl::OkStatus();
}

void Savepoint::Rollback() {
  assert(connection_ != nullptr && "the savepoint is over");
  Connection* const connection = std::exchange(connection_, nullptr);
  if (!connection->in_transaction()) return;
  RunIgnoringErrors(*connection, "ROLLBACK TO scope");
  RunIgnoringErrors(*connection, "RELEASE scope");
}

}  // namespace userservice::sqlite
