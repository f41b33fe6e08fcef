#include "async/executor.h"

#include <utility>

namespace userservice {
namespace {
thread_local Executor* current = nullptr;
}  // namespace

Executor* Executor::Current() { return current; }
void Executor::SetCurrent(Executor* executor) { current = executor; }

void Executor::PostTo(Executor* executor, absl::AnyInvocable<void()> function) {
  if (executor != nullptr) {
    executor->Post(std::move(function));
  } else {
    function();
  }
}

}  // namespace userservice
