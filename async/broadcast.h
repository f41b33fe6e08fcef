// Broadcast: a number that only grows, and coroutines that wait for it to pass a value.
//
//   Broadcast committed;
//   co_await committed.WaitFor(42);            // a reader
//   committed.BlockUntil(42, deadline, stop);  // a thread
//   committed.Publish(42);                     // the writer, on any thread
//
// Used for revisions (a read that wants a state at least as new), and wherever a stream follows
// something that changes.
// Threads: all members may be called from any thread. A waiter resumes on the executor that it
//   waited on.
// Lifetime: outlives its waiters.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "async/executor.h"
#include "async/mutex.h"

namespace userservice {

class Broadcast {
 public:
  class Waiter;

  explicit Broadcast(int64_t value = 0) : value_(value) {}
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  int64_t value() const { return value_.load(std::memory_order_acquire); }

  // Raises the value (a smaller one changes nothing) and resumes who waited for it.
  void Publish(int64_t value);

  // co_await: true once value() >= at_least; false if the awaiting task was asked to stop before
  // that.
  Waiter WaitFor(int64_t at_least);

  // The same for a thread that is no executor's: blocks it, until `deadline` at most.
  bool BlockUntil(int64_t at_least, absl::Time deadline, const std::stop_token& stop);

 private:
  std::atomic<int64_t> value_;
  Mutex mutex_;
  std::vector<Waiter*> waiters_ ABSL_GUARDED_BY(mutex_);
};

class Broadcast::Waiter {
 public:
  Waiter(Broadcast& broadcast, int64_t at_least) : broadcast_(broadcast), at_least_(at_least) {}

  bool await_ready() const { return broadcast_.value() >= at_least_; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return Suspend(awaiting, awaiting.promise().stop_token());
  }
  bool await_resume() {
    on_stop_.reset();
    return broadcast_.value() >= at_least_;
  }

 private:
  friend class Broadcast;
  struct OnStop {
    Waiter* waiter;
    void operator()() const;
  };

  bool Suspend(std::coroutine_handle<> awaiting, const std::stop_token& stop);
  void Resume();

  Broadcast& broadcast_;
  const int64_t at_least_;
  Executor* executor_ = nullptr;
  std::coroutine_handle<> awaiting_;
  std::optional<std::stop_callback<OnStop>> on_stop_;
};

inline Broadcast::Waiter Broadcast::WaitFor(int64_t at_least) { return Waiter(*this, at_least); }

}  // namespace userservice
