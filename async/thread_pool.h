// ThreadPool: a few threads and a bounded queue, for work that blocks (SQL), and Offload, which
// runs it from a coroutine.
//
//   ThreadPool scans("scan", /*threads=*/2, /*queue_jobs_max=*/256);
//   auto count = [&] { return CountOnThisThread(); };
//   std::optional<int> n = co_await Offload(scans, count);   // nothing: the queue was full
//
// Threads: TrySubmit from any thread. The destructor runs what is queued, then joins.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "async/executor.h"
#include "async/mutex.h"
#include "async/task.h"

namespace userservice {

class ThreadPool {
 public:
  // `name` is the threads' name, at most 15 bytes. A `niceness` above 0 lets other threads run
  // first, see nice(7).
  ThreadPool(const std::string& name, size_t threads, size_t queue_jobs_max, int niceness = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False if the queue is full: the job was not taken.
  [[nodiscard]] bool TrySubmit(absl::AnyInvocable<void()> job);

  size_t queued_jobs() const;

 private:
  void Run(int niceness);

  const size_t queue_jobs_max_;
  mutable Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

// Runs `function` on a thread of `pool` and comes back to the executor it was called on, with what
// the function returned; with nothing, at once, if the pool's queue is full. An exception of the
// function leaves here. `function` is taken by reference and must live until the task ends: name
// it, as g++ 12 destroys a temporary twice.
template <class Function, class Result = std::invoke_result_t<Function&>>
Task<std::optional<Result>> Offload(ThreadPool& pool, Function& function);

namespace internal {

template <class Function, class Result>
class OffloadAwaiter {
 public:
  OffloadAwaiter(ThreadPool& pool, Function& function) : pool_(pool), function_(function) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    // Once submitted, the job may resume the coroutine, and with it end this object, before
    // TrySubmit returns.
    return pool_.TrySubmit([this, awaiting, executor = Executor::Current()] {
      try {
        result_.emplace(function_());
      } catch (...) {
        exception_ = std::current_exception();
      }
      Executor::PostTo(executor, [awaiting] { awaiting.resume(); });
    });
  }
  std::optional<Result> await_resume() {
    if (exception_) std::rethrow_exception(exception_);
    return std::move(result_);
  }

 private:
  ThreadPool& pool_;
  Function& function_;
  std::optional<Result> result_;
  std::exception_ptr exception_;
};

}  // namespace internal

template <class Function, class Result>
Task<std::optional<Result>> Offload(ThreadPool& pool, Function& function) {
  co_return co_await internal::OffloadAwaiter<Function, Result>(pool, function);
}

}  // namespace userservice
