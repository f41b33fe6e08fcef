// CompletionLoop: one thread that runs a gRPC completion queue, as asyncio's loop runs callbacks.
//
// An Operation is the tag of one thing handed to gRPC. StartOperation makes a co_await of it:
//
//   auto finish = [&](void* tag) { writer.Finish(response, status, tag); };
//   const bool ok = co_await StartOperation(finish);
//
// Inbox: Post() runs a function on the loop's thread. The inbox is a vector and one grpc::Alarm
// that is set when the vector was empty, so that a burst of posts costs one wake-up.
// Threads: Post from any thread. Operations complete on the loop's thread only.
// Ending: Close() once nothing will be posted or started any more; it runs what was posted, lets
//   gRPC return every operation that it still has, and joins. Posting after Close is a bug and
//   aborts, as gRPC itself would.
#pragma once

#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "async/executor.h"
#include "async/mutex.h"
#include "async/task.h"
#include "async/tsan.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"

namespace userservice {

// The one kind of tag that goes through a completion queue here.
class Operation {
 public:
  // Called on the loop's thread when gRPC returns the tag. May end the life of the operation.
  virtual void Complete(bool ok) = 0;

  // The tag to hand to gRPC; each call to it announces one operation (to TSan, which does not see
  // into gRPC).
  void* tag() {
    TsanRelease(this);
    return this;
  }

 protected:
  ~Operation() = default;
};

class CompletionLoop final : public Executor {
 public:
  // Takes a queue that nothing else polls, and polls it from now on. `name` is the thread's, at
  // most 15 bytes.
  CompletionLoop(std::unique_ptr<grpc::CompletionQueue> queue, const std::string& name);
  ~CompletionLoop() override;  // Close()

  grpc::CompletionQueue* queue() { return queue_.get(); }

  void Post(absl::AnyInvocable<void()> function) override;
  void AfterBurst(absl::AnyInvocable<void()> function) override;
  void WhenIdle(absl::AnyInvocable<void()> function) override;
  // Blocks until the loop has had nothing to do for a moment. From other threads.
  void WaitUntilIdle();
  void Close();

  // co_await loop.Schedule(): goes on on the loop's thread.
  auto Schedule();

  // Goes on on the loop's thread after `delay`. False, at once, if the task is asked to stop before
  // that.
  Task<bool> Sleep(absl::Duration delay);

 private:
  class Wakeup final : public Operation {
   public:
    explicit Wakeup(CompletionLoop& loop) : loop_(loop) {}
    void Complete(bool ok) override;

   private:
    CompletionLoop& loop_;
  };

  void Run();
  bool Next(void** tag, bool* ok);
  void RunInbox();
  bool HasDeferred() const { return !after_burst_.empty() || !when_idle_.empty(); }
  void Defer(std::vector<absl::AnyInvocable<void()>>& list, absl::AnyInvocable<void()> function);
  void RunDeferredIfDue();
  void RunDeferred();

  const std::unique_ptr<grpc::CompletionQueue> queue_;
  Wakeup wakeup_{*this};
  Mutex mutex_;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  bool alarm_set_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void()>> inbox_ ABSL_GUARDED_BY(mutex_);
  // The loop's thread alone.
  std::vector<absl::AnyInvocable<void()>> after_burst_;
  std::vector<absl::AnyInvocable<void()>> when_idle_;
  std::chrono::steady_clock::time_point deferred_until_;
  std::thread thread_;
};

namespace internal {

template <class Start>
class OperationAwaiter final : public Operation {
 public:
  explicit OperationAwaiter(Start& start) : start_(start) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) {
    awaiting_ = awaiting;
    start_(tag());  // the last thing: from here on the loop may complete it and end this object
  }
  bool await_resume() const noexcept { return ok_; }

  void Complete(bool ok) override {
    ok_ = ok;
    awaiting_.resume();
  }

 private:
  Start& start_;
  std::coroutine_handle<> awaiting_;
  bool ok_ = false;
};

}  // namespace internal

// co_await StartOperation(start): calls start(tag), which hands one operation to gRPC, and resumes
// with its ok.
template <class Start>
internal::OperationAwaiter<Start> StartOperation(Start& start) {
  return internal::OperationAwaiter<Start>(start);
}

inline auto CompletionLoop::Schedule() {
  struct Awaiter {
    CompletionLoop& loop;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiting) const {
      loop.Post([awaiting] { awaiting.resume(); });
    }
    void await_resume() const noexcept {}
  };
  return Awaiter{*this};
}

}  // namespace userservice
