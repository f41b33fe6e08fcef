// TombstoneCompactor: drops the tombstones that have had their time, so that deleting users does
// not make the database grow for ever.
//
// A tombstone goes when it is older than age_max, or not among the count_max newest, the oldest
// first; in the same transaction `compacted_revision` moves up to it, by which those are told who
// would have needed it. Watching can be resumed after any revision from there on.
// One transaction drops about a thousand. It waits in the writer's queue as those of callers do,
// and takes no revision. A run that fails, on a full disk say, is tried again at the next
// interval.
// Threads: any. Lifetime: the writer outlives it. The destructor waits for one transaction at most.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "async/mutex.h"
#include "service/sqlite/connection.h"
#include "service/store/writer.h"

namespace userservice::store {

struct TombstoneOptions {
  TombstoneOptions() = default;

  absl::Duration age_max = absl::Hours(24);
  int64_t count_max = 1'000'000;
  absl::Duration interval = absl::Minutes(1);  // between two runs
  std::function<absl::Time()> clock = absl::Now;
};

class TombstoneCompactor {
 public:
  // The first run comes after an interval.
  static absl::StatusOr<std::unique_ptr<TombstoneCompactor>> Open(const std::string& path,
                                                                  Writer& writer,
                                                                  const TombstoneOptions& options);
  ~TombstoneCompactor();
  TombstoneCompactor(const TombstoneCompactor&) = delete;
  TombstoneCompactor& operator=(const TombstoneCompactor&) = delete;

  // One run, now. Gives how many tombstones were dropped.
  absl::StatusOr<int64_t> Compact() ABSL_LOCKS_EXCLUDED(turn_);

  // What `look` gives while no transaction of the compactor's is queued or running.
  template <class Look>
  auto BetweenTransactions(const Look& look) ABSL_LOCKS_EXCLUDED(turn_) {
    const MutexLock lock(&turn_);
    return look();
  }

 private:
  TombstoneCompactor(std::unique_ptr<sqlite::Connection> connection, Writer& writer,
                     const TombstoneOptions& options);

  void Run();
  bool is_closed() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Up to which revision there are more than count_max; 0: there are not.
  absl::StatusOr<int64_t> ReadSurplus() ABSL_LOCKS_EXCLUDED(turn_);
  // Gives how many were dropped; 0: none is left to drop.
  absl::StatusOr<int64_t> DropSome(int64_t surplus) ABSL_LOCKS_EXCLUDED(turn_);

  Writer& writer_;
  const TombstoneOptions options_;
  Mutex turn_;  // held over each transaction
  const std::unique_ptr<sqlite::Connection> connection_ ABSL_PT_GUARDED_BY(turn_);
  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace userservice::store
