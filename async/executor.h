// Executor: something that runs functions later, on a thread of its own. The running loop of
// asyncio.
//
// Code that leaves the loop (a job for a database thread) remembers Executor::Current() first and
// posts its continuation there, so that a coroutine comes back to the thread it left.
#pragma once

#include "absl/functional/any_invocable.h"

namespace userservice {

class Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Runs `function` soon, on the executor's thread, after those posted before it. Any thread may
  // call it.
  virtual void Post(absl::AnyInvocable<void()> function) = 0;

  // Runs `function` on the executor's thread once what came at about the same time is done, and
  // soon also if more always comes. On that thread only.
  virtual void AfterBurst(absl::AnyInvocable<void()> function) = 0;

  // The same, but once it is likely that the executor has nothing to do for a while.
  virtual void WhenIdle(absl::AnyInvocable<void()> function) = 0;

  // The executor whose thread this is; null elsewhere.
  static Executor* Current();

  // Posts to `executor`, or runs at once where it is null.
  static void PostTo(Executor* executor, absl::AnyInvocable<void()> function);

 protected:
  Executor() = default;
  virtual ~Executor() = default;

  // Called by an executor on its own thread: makes it Current() there, null to end that.
  static void SetCurrent(Executor* executor);
};

}  // namespace userservice
