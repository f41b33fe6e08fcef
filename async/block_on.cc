#include "async/block_on.h"

namespace userservice::internal {

void Latch::Set() {
  // Notified under the lock: the waiter may destroy the latch as soon as it sees set_.
  const std::lock_guard lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

void Latch::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return set_; });
}

}  // namespace userservice::internal
