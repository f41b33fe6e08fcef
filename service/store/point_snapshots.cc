#include "service/store/point_snapshots.h"

#include <algorithm>
#include <utility>

namespace userservice::store {

PointSnapshots::Snapshots::iterator PointSnapshots::Find(Executor* loop) {
  return std::find_if(snapshots_.begin(), snapshots_.end(),
                      [loop](const Snapshot& snapshot) { return snapshot.loop == loop; });
}

sqlite::Connection* PointSnapshots::Take(int64_t committed) {
  Executor* const loop = Executor::Current();
  if (loop == nullptr) return nullptr;
  Snapshot* snapshot = nullptr;
  {
    const MutexLock lock(&mutex_);
    const auto found = Find(loop);
    if (found != snapshots_.end()) snapshot = &*found;
  }
  if (snapshot == nullptr) {
    std::optional<sqlite::ConnectionPool::Lease> lease = connections_.TryAcquire();
    if (!lease.has_value()) return nullptr;
    const MutexLock lock(&mutex_);
    snapshot = &snapshots_.emplace_back(loop, *std::move(lease));
    loop->WhenIdle([this] { LetGo(); });
  }
  // SQLite itself ends a transaction on some errors.
  const bool is_open = snapshot->transaction.has_value() && snapshot->lease->in_transaction();
  if (is_open && snapshot->committed == committed) return &*snapshot->lease;
  return Begin(*snapshot, committed) ? &*snapshot->lease : nullptr;
}

// Anew, if it was begun before.
bool PointSnapshots::Begin(Snapshot& snapshot, int64_t committed) {
  snapshot.transaction.reset();
  absl::StatusOr<sqlite::Transaction> begun =
      sqlite::Transaction::Begin(*snapshot.lease, sqlite::Transaction::Kind::kDeferred);
  if (!begun.ok()) return false;
  snapshot.transaction.emplace(*std::move(begun));
  snapshot.committed = committed;
  return true;
}

void PointSnapshots::LetGo() {
  Snapshots ended;
  {
    const MutexLock lock(&mutex_);
    const auto found = Find(Executor::Current());
    if (found != snapshots_.end()) ended.splice(ended.begin(), snapshots_, found);
  }
}

}  // namespace userservice::store
