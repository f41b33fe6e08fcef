#include "async/broadcast.h"

#include <algorithm>

namespace userservice {

void Broadcast::Publish(int64_t value) {
  std::vector<Waiter*> due;
  {
    const MutexLock lock(&mutex_);
    if (value <= value_.load(std::memory_order_relaxed)) return;
    value_.store(value, std::memory_order_release);
    const auto first_due =
        std::partition(waiters_.begin(), waiters_.end(),
                       [value](const Waiter* waiter) { return waiter->at_least_ > value; });
    due.assign(first_due, waiters_.end());
    waiters_.erase(first_due, waiters_.end());
  }
  for (Waiter* waiter : due) waiter->Resume();
}

bool Broadcast::BlockUntil(int64_t at_least, absl::Time deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { const MutexLock look_again(&mutex_); });
  const auto is_over = [&] { return value() >= at_least || stop.stop_requested(); };
  const MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(Condition(&is_over), deadline);
  return value() >= at_least;
}

bool Broadcast::Waiter::Suspend(std::coroutine_handle<> awaiting, const std::stop_token& stop) {
  awaiting_ = awaiting;
  executor_ = Executor::Current();
  // First the callback, then the list: a stop that comes in between finds no waiter in the list and
  // leaves it to the check below; one that comes after finds it and resumes. Nothing of this object
  // is touched once it is in the list and the lock is released.
  on_stop_.emplace(stop, OnStop{this});
  const MutexLock lock(&broadcast_.mutex_);
  if (stop.stop_requested() || broadcast_.value() >= at_least_) return false;
  broadcast_.waiters_.push_back(this);
  return true;
}

void Broadcast::Waiter::OnStop::operator()() const {
  {
    Broadcast& broadcast = waiter->broadcast_;
    const MutexLock lock(&broadcast.mutex_);
    const auto found = std::find(broadcast.waiters_.begin(), broadcast.waiters_.end(), waiter);
    if (found == broadcast.waiters_.end()) return;  // not waiting yet, or already resumed
    broadcast.waiters_.erase(found);
  }
  waiter->Resume();
}

void Broadcast::Waiter::Resume() {
  // Whoever took the waiter off the list resumes it, so this happens once.
  Executor::PostTo(executor_, [awaiting = awaiting_] { awaiting.resume(); });
}

}  // namespace userservice
