// Task<T>: a lazy coroutine that gives one T.
//
//   Task<int> Answer() { co_return 42; }
//   Task<int> Twice() { co_return 2 * co_await Answer(); }
//   int n = BlockOn(Twice());  // 84, from outside a coroutine
//
// Lazy: nothing runs until the task is awaited (or handed to Gather, BlockOn or Spawn). Awaited
//   once, as an rvalue.
// Ownership: the Task owns its frame. A Task that was never awaited is dropped with its arguments.
//   One that was started must be awaited to its end before it is destroyed: the frame may be the
//   tag of an operation in flight.
// Threads: a task runs on the thread that awaits it, until it awaits something that resumes
//   elsewhere.
// Errors: an exception leaves through the co_await. Expected failures are values:
//   Task<absl::StatusOr<T>>.
// Stop: the token of the awaiting task (see stop.h) is handed down to the awaited one.
// Never in a condition: `if (co_await task)` and `switch (co_await task)` are compiled wrongly by
//   g++ 12 in a coroutine that declares no variable (it stops there for ever, or crashes). Name the
//   result first. A lint keeps to it.
// Stack: a task that completes without suspending returns to its awaiter by a return, not by a
//   call, in every build: a loop over any number of such tasks runs in constant stack. (Symmetric
//   transfer alone is a tail call with g++ 12 only at -O2 without sanitizers.)
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace userservice {

template <class T>
class Task;

namespace internal {

inline const std::stop_token& NeverStops() {
  static const std::stop_token token;
  return token;
}

// What the promise of each coroutine here has: who waits for it, and the stop token it runs under.
class TaskPromiseBase {
 public:
  const std::stop_token& stop_token() const { return *stop_token_; }
  // `token` must outlive the coroutine: it lives in the frame that awaits it.
  void set_stop_token(const std::stop_token& token) { stop_token_ = &token; }

  std::suspend_always initial_suspend() const noexcept { return {}; }

 private:
  template <class Promise>
  friend class TaskAwaiter;
  friend struct FinalAwaiter;

  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  const std::stop_token* stop_token_ = &NeverStops();
  // The first of "the task is done" and "the awaiter has suspended" sets it; the second goes on.
  // Release/acquire, since the two may come from different threads.
  std::atomic<bool> met_{false};
};

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    TaskPromiseBase& promise = self.promise();
    const std::coroutine_handle<> continuation = promise.continuation_;
    if (promise.met_.exchange(true, std::memory_order_acq_rel)) return continuation;
    return std::noop_coroutine();  // still inside the awaiter's await_suspend, which sees it and
                                   // goes on
  }
  void await_resume() const noexcept {}
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  template <class U = T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T TakeResult() {
    if (exception_) std::rethrow_exception(exception_);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  std::exception_ptr exception_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void return_void() const noexcept {}
  void TakeResult() {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::exception_ptr exception_;
};

template <class Promise>
class TaskAwaiter {
 public:
  explicit TaskAwaiter(std::coroutine_handle<Promise> task) : task_(task) {}

  bool await_ready() const noexcept { return false; }

  // Starts the task. False, "go on at once", if it completed meanwhile.
  template <class AwaitingPromise>
  bool await_suspend(std::coroutine_handle<AwaitingPromise> awaiting) noexcept {
    TaskPromiseBase& promise = task_.promise();
    if constexpr (std::is_base_of_v<TaskPromiseBase, AwaitingPromise>) {
      promise.stop_token_ = &awaiting.promise().stop_token();
    }
    promise.continuation_ = awaiting;
    task_.resume();
    return !promise.met_.exchange(true, std::memory_order_acq_rel);
  }

  decltype(auto) await_resume() { return task_.promise().TakeResult(); }

 private:
  std::coroutine_handle<Promise> task_;
};

}  // namespace internal

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using value_type = T;

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  auto operator co_await() && noexcept { return internal::TaskAwaiter<promise_type>(coroutine_); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}

  std::coroutine_handle<promise_type> coroutine_;
};

namespace internal {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

}  // namespace internal
}  // namespace userservice
