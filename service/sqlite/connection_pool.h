// ConnectionPool: connections opened up front, lent out one scope at a time.
//
//   absl::StatusOr<std::unique_ptr<ConnectionPool>> pool = ConnectionPool::Open(options, 4);
//   {
//     ConnectionPool::Lease lease = (*pool)->Acquire();   // waits for a free one
//     QueryScope rows(*lease, "SELECT 1");
//   }                                                     // given back, however the block is left
//
// The connection given back last is lent first, so that its caches stay warm. A lease given back
// inside a transaction is a bug: asserted, and rolled back where assertions are off.
// Threads: all members of the pool from any thread; a lease and what it lends, one at a time.
// Lifetime: the pool outlives its leases.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"

namespace userservice::sqlite {

class ConnectionPool {
 public:
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          connection_(std::exchange(other.connection_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(connection_, other.connection_);
      return *this;
    }
    ~Lease() {
      if (pool_ != nullptr) pool_->Return(connection_);
    }

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_; }

   private:
    friend class ConnectionPool;
    Lease(ConnectionPool* pool, Connection* connection) : pool_(pool), connection_(connection) {}

    ConnectionPool* pool_;
    Connection* connection_;
  };

  static absl::StatusOr<std::unique_ptr<ConnectionPool>> Open(const ConnectionOptions& options,
                                                              size_t connections);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();  // every lease was given back

  // Waits for a free connection.
  Lease Acquire();
  // Nothing if none is free.
  std::optional<Lease> TryAcquire();

  size_t size() const { return connections_.size(); }
  size_t leased() const;
  size_t active_statements() const;

 private:
  explicit ConnectionPool(std::vector<std::unique_ptr<Connection>> connections);

  Connection* TakeFree();  // under the mutex
  void Return(Connection* connection);

  const std::vector<std::unique_ptr<Connection>> connections_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection*> free_;  // a stack, under the mutex
};

}  // namespace userservice::sqlite
