#include "service/sqlite/connection_pool.h"

#include <cassert>
#include <numeric>

namespace userservice::sqlite {

absl::StatusOr<std::unique_ptr<ConnectionPool>> ConnectionPool::Open(
    const ConnectionOptions& options, size_t connections) {
  std::vector<std::unique_ptr<Connection>> opened;
  opened.reserve(connections);
  for (size_t i = 0; i < connections; ++i) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
    if (!connection.ok()) return connection.status();
    opened.push_back(*std::move(connection));
  }
  return std::unique_ptr<ConnectionPool>(new ConnectionPool(std::move(opened)));
}

ConnectionPool::ConnectionPool(std::vector<std::unique_ptr<Connection>> connections)
    : connections_(std::move(connections)) {
  free_.reserve(connections_.size());
  for (const std::unique_ptr<Connection>& connection : connections_)
    free_.push_back(connection.get());
}

ConnectionPool::~ConnectionPool() { assert(leased() == 0 && "a lease outlives its pool"); }

ConnectionPool::Lease ConnectionPool::Acquire() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !free_.empty(); });
  return Lease(this, TakeFree());
}

std::optional<ConnectionPool::Lease> ConnectionPool::TryAcquire() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::nullopt;
  return Lease(this, TakeFree());
}

Connection* ConnectionPool::TakeFree() {
  Connection* const connection = free_.back();
  free_.pop_back();
  return connection;
}

void ConnectionPool::Return(Connection* connection) {
  assert(connection->open_scopes() == 0 && "a scope outlives the lease of its connection");
  assert(!connection->in_transaction() && "a lease was given back inside a transaction");
  // The next borrower is to find a connection without a past, whatever went wrong here.
  if (connection->in_transaction()) static_cast<void>(connection->Execute("ROLLBACK"));
  const std::lock_guard lock(mutex_);
  free_.push_back(connection);
  returned_.notify_one();
}

size_t ConnectionPool::leased() const {
  const std::lock_guard lock(mutex_);
  return connections_.size() - free_.size();
}

size_t ConnectionPool::active_statements() const {
  return std::accumulate(connections_.begin(), connections_.end(), size_t{0},
                         [](size_t sum, const std::unique_ptr<Connection>& connection) {
                           return sum + connection->active_statements();
                         });
}

}  // namespace userservice::sqlite
