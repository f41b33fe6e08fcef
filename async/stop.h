// Stop tokens: how a task learns that nobody wants its result any more.
//
// A stop token is handed down from the awaiting task to the awaited one, so that one source at the
// root (a call that was cancelled, a Gather whose sibling failed) reaches every leaf below it. A
// leaf that can wait asks for it:
//
//   const std::stop_token stop = co_await CurrentStopToken();
//   if (stop.stop_requested()) co_return absl::CancelledError("cancelled");
//
// Stopping is a request: the task still runs to its end, soon, and whoever awaits it still awaits
// it.
#pragma once

#include <coroutine>
#include <stop_token>
#include <utility>

#include "async/task.h"

namespace userservice {

// co_await CurrentStopToken(): the token of the running task. Never suspends.
class CurrentStopToken {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    token_ = &awaiting.promise().stop_token();
    return false;
  }
  const std::stop_token& await_resume() const noexcept { return *token_; }

 private:
  const std::stop_token* token_ = nullptr;
};

// Runs `task` under `token` instead of the awaiting task's own.
template <class T>
Task<T> WithStopToken(std::stop_token token, Task<T> task);

// A token that is set as soon as one of two is. Both outlive the object.
//
//   const EitherStops stop(call_stop, draining);
//   Task<bool> wait = WithStopToken(stop.token(), Wait());
class EitherStops {
 public:
  EitherStops(const std::stop_token& one, const std::stop_token& other)
      : on_one_(one, Forward{&source_}), on_other_(other, Forward{&source_}) {}
  EitherStops(const EitherStops&) = delete;
  EitherStops& operator=(const EitherStops&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const {
      // What it wakes may end the object.
      std::stop_source kept = *source;
      kept.request_stop();
    }
  };

  std::stop_source source_;
  const std::stop_callback<Forward> on_one_;
  const std::stop_callback<Forward> on_other_;
};

namespace internal {

// Sets the token of the coroutine that awaits it.
class AdoptStopToken {
 public:
  explicit AdoptStopToken(const std::stop_token& token) : token_(token) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    awaiting.promise().set_stop_token(token_);
    return false;
  }
  void await_resume() const noexcept {}

 private:
  const std::stop_token& token_;
};

}  // namespace internal

template <class T>
Task<T> WithStopToken(std::stop_token token, Task<T> task) {
  co_await internal::AdoptStopToken(token);
  co_return co_await std::move(task);
}

}  // namespace userservice
