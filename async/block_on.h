// BlockOn(task): runs a task from outside coroutines and waits for its result. For main() and
// tests.
//
//   int main() { return BlockOn(Run()); }
//
// Must not be called on a loop's own thread: it would wait for itself. An exception of the task
// leaves here.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/spawn.h"
#include "async/stop.h"
#include "async/task.h"

namespace userservice {
namespace internal {

// One thread waits until another says that it is done.
class Latch {
 public:
  void Set();
  void Wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

template <class T>
struct Outcome {
  std::optional<T> value;
  std::exception_ptr exception;
};

template <class T>
Task<void> RunAndSet(Task<T> task, const std::stop_token& token, Outcome<T>& outcome,
                     Latch& latch) {
  co_await AdoptStopToken(token);
  try {
    // Ends, with its arguments, before the latch is set: they may refer to the stack of who waits.
    Task<T> running = std::move(task);
    outcome.value.emplace(co_await std::move(running));
  } catch (...) {
    outcome.exception = std::current_exception();
  }
  latch.Set();
}

inline Task<bool> AsValue(Task<void> task) {
  co_await std::move(task);
  co_return true;
}

}  // namespace internal

// `token` stops the task; it still runs to its end and is waited for.
template <class T>
T BlockOn(Task<T> task, const std::stop_token& token = internal::NeverStops()) {
  if constexpr (std::is_void_v<T>) {
    BlockOn(internal::AsValue(std::move(task)), token);
  } else {
    internal::Outcome<T> outcome;
    internal::Latch latch;
    Spawn(internal::RunAndSet(std::move(task), token, outcome, latch));
    latch.Wait();
    if (outcome.exception) std::rethrow_exception(outcome.exception);
    return std::move(*outcome.value);
  }
}

}  // namespace userservice
