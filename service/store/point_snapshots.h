// PointSnapshots: read transactions that stay open over many point reads, one for each loop.
//
//   sqlite::Connection* const connection = snapshots.Take(committed.value());
//   if (connection != nullptr) ...                  // a short read; nothing is awaited meanwhile
//
// A read transaction of its own costs a point read more than the reading: three system calls. So
// the reads of a loop share one, until a revision was committed that it does not show, or the loop
// is idle, or a millisecond has passed (Executor::WhenIdle). It is begun after its revision was
// read, and a revision is published before its write is acknowledged: a read shows every write that
// was acknowledged before. What another program wrote it shows a millisecond late at most, and a
// checkpoint waits no longer either.
// Threads: any; each loop's thread has its own. Others, and those for whom no connection is free,
// get none. Lifetime: outlives what its loops have left to do.
#pragma once

#include <cstdint>
#include <list>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "async/executor.h"
#include "async/mutex.h"
#include "service/sqlite/connection_pool.h"
#include "service/sqlite/transaction.h"

namespace userservice::store {

class PointSnapshots {
 public:
  // The pool, whose connections it lends, outlives it.
  explicit PointSnapshots(sqlite::ConnectionPool& connections) : connections_(connections) {}
  PointSnapshots(const PointSnapshots&) = delete;
  PointSnapshots& operator=(const PointSnapshots&) = delete;

  // A connection inside a transaction that shows at least the revision `committed`, which was the
  // newest a moment ago. Null: there is none to be had, read without.
  sqlite::Connection* Take(int64_t committed) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends this loop's snapshot, and gives its connection back.
  void LetGo() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Snapshot {
    Snapshot(Executor* snapshot_loop, sqlite::ConnectionPool::Lease snapshot_lease)
        : loop(snapshot_loop), lease(std::move(snapshot_lease)) {}

    Executor* const loop;
    const sqlite::ConnectionPool::Lease lease;
    int64_t committed = 0;
    std::optional<sqlite::Transaction> transaction;  // ends before the lease
  };
  using Snapshots = std::list<Snapshot>;

  static bool Begin(Snapshot& snapshot, int64_t committed);
  Snapshots::iterator Find(Executor* loop) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  sqlite::ConnectionPool& connections_;
  Mutex mutex_;  // of the list; each snapshot is its loop's alone
  Snapshots snapshots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace userservice::store
