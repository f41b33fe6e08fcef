// Mutex, MutexLock and Condition: abseil's; with ThreadSanitizer the same over std::mutex.
//
//   const MutexLock lock(&mutex_, Condition(&is_ready));
//
// Debian's abseil is not instrumented, so that ThreadSanitizer sees none of its locks and takes
// everything that they guard for a race.
#pragma once

#if !defined(__SANITIZE_THREAD__)

#include "absl/synchronization/mutex.h"

namespace userservice {

using Condition = absl::Condition;
using Mutex = absl::Mutex;
using MutexLock = absl::MutexLock;

}  // namespace userservice

#else

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace userservice {

class Condition {
 public:
  template <class Function>
  explicit Condition(const Function* function) : is_true_([function] { return (*function)(); }) {}
  template <class T>
  Condition(bool (*function)(T*), T* argument)
      : is_true_([function, argument] { return function(argument); }) {}

  bool Eval() const { return is_true_(); }

 private:
  std::function<bool()> is_true_;
};

// Waiters look again after each unlock, as abseil's do.
class Mutex {
 public:
  void Lock() { mutex_.lock(); }
  void Unlock() {
    changed_.notify_all();
    mutex_.unlock();
  }
  void LockWhen(const Condition& condition) {
    Lock();
    AwaitWithDeadline(condition, absl::InfiniteFuture());
  }
  bool AwaitWithTimeout(const Condition& condition, absl::Duration timeout) {
    return AwaitWithDeadline(condition, absl::Now() + timeout);
  }
  bool AwaitWithDeadline(const Condition& condition, absl::Time deadline) {
    changed_.notify_all();
    std::unique_lock lock(mutex_, std::adopt_lock);
    const auto is_true = [&] { return condition.Eval(); };
    bool met = true;
    if (deadline == absl::InfiniteFuture()) {
      changed_.wait(lock, is_true);
    } else {
      const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
      met = changed_.wait_for(lock, absl::ToChronoMicroseconds(left), is_true);
    }
    lock.release();
    return met;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) : mutex_(mutex) { mutex_->Lock(); }
  MutexLock(Mutex* mutex, const Condition& condition) : mutex_(mutex) {
    mutex_->LockWhen(condition);
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() { mutex_->Unlock(); }

 private:
  Mutex* const mutex_;
};

}  // namespace userservice

#endif
