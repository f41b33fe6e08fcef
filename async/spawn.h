// Spawn(task): starts a task that nobody awaits. It runs until its first suspension before Spawn
// returns.
//
// The task's frame frees itself at its end, so the task must own, or be outlived by, everything
// that it uses; whoever spawns it keeps count of it (see rpc's calls). An exception that leaves the
// task ends the process: catch it inside.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include "async/task.h"

namespace userservice {
namespace internal {

struct Detached {
  struct promise_type : TaskPromiseBase {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

inline Detached RunDetached(Task<void> task) { co_await std::move(task); }

}  // namespace internal

inline void Spawn(Task<void> task) { internal::RunDetached(std::move(task)); }

}  // namespace userservice
