#include "async/completion_loop.h"

#include <pthread.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/time/clock.h"
#include "async/block_on.h"
#include "async/stop.h"

namespace userservice {
namespace {

// What is deferred on a loop that always has something to do runs after so long.
constexpr std::chrono::milliseconds kDeferredMax(1);

// gRPC says that there is nothing each time when a socket had something that completes nothing,
// though there may be more in others. With many connections, the second look mostly finds it.
constexpr int kLooksBeforeIdle = 2;

void RunAll(std::vector<absl::AnyInvocable<void()>>& functions) {
  for (absl::AnyInvocable<void()>& function : std::exchange(functions, {})) function();
}

}  // namespace

CompletionLoop::CompletionLoop(std::unique_ptr<grpc::CompletionQueue> queue,
                               const std::string& name)
    : queue_(std::move(queue)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

CompletionLoop::~CompletionLoop() { Close(); }

void CompletionLoop::Post(absl::AnyInvocable<void()> function) {
  const MutexLock lock(&mutex_);
  if (closed_) {
    std::fputs("CompletionLoop::Post after Close: a coroutine outlived the loop it runs on\n",
               stderr);
    std::abort();
  }
  inbox_.push_back(std::move(function));
  if (alarm_set_) return;
  alarm_set_ = true;
  // Under the lock, so that Close, which shuts the queue down, can not come between.
  alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_REALTIME), wakeup_.tag());
}

void CompletionLoop::Wakeup::Complete(bool) { loop_.RunInbox(); }

void CompletionLoop::RunInbox() {
  std::vector<absl::AnyInvocable<void()>> due;
  {
    const MutexLock lock(&mutex_);
    due.swap(inbox_);
    alarm_set_ = false;
  }
  for (absl::AnyInvocable<void()>& function : due) {
    function();
    RunDeferredIfDue();
  }
}

void CompletionLoop::AfterBurst(absl::AnyInvocable<void()> function) {
  Defer(after_burst_, std::move(function));
}

void CompletionLoop::WhenIdle(absl::AnyInvocable<void()> function) {
  Defer(when_idle_, std::move(function));
}

void CompletionLoop::Defer(std::vector<absl::AnyInvocable<void()>>& list,
                           absl::AnyInvocable<void()> function) {
  if (!HasDeferred()) deferred_until_ = std::chrono::steady_clock::now() + kDeferredMax;
  list.push_back(std::move(function));
}

void CompletionLoop::RunDeferredIfDue() {
  if (HasDeferred() && std::chrono::steady_clock::now() >= deferred_until_) RunDeferred();
}

void CompletionLoop::RunDeferred() {
  RunAll(after_burst_);
  RunAll(when_idle_);
}

void CompletionLoop::WaitUntilIdle() {
  internal::Latch idle;
  Post([this, &idle] { WhenIdle([&idle] { idle.Set(); }); });
  idle.Wait();
}

void CompletionLoop::Close() {
  {
    const MutexLock lock(&mutex_);
    if (closed_) return;
    closed_ = true;
    queue_->Shutdown();
  }
  thread_.join();
}

void CompletionLoop::Run() {
  SetCurrent(this);
  void* tag = nullptr;
  bool ok = false;
  while (Next(&tag, &ok)) {
    auto* const operation = static_cast<Operation*>(tag);
    TsanAcquire(operation);
    operation->Complete(ok);
  }
  while (HasDeferred()) RunDeferred();
  SetCurrent(nullptr);
}

// Looks first without waiting where something is deferred.
bool CompletionLoop::Next(void** tag, bool* ok) {
  RunDeferredIfDue();
  while (HasDeferred()) {
    for (int looks = 0; looks < kLooksBeforeIdle && HasDeferred(); ++looks) {
      const auto next = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_REALTIME));
      if (next != grpc::CompletionQueue::TIMEOUT) return next == grpc::CompletionQueue::GOT_EVENT;
      RunAll(after_burst_);
    }
    RunDeferred();
  }
  return queue_->Next(tag, ok);
}

namespace {

// One alarm that a stop cancels. The alarm's tag always comes back, early and with ok false if it
// was cancelled.
class SleepAwaiter final : public Operation {
 public:
  SleepAwaiter(grpc::CompletionQueue* queue, absl::Duration delay, const std::stop_token& stop)
      : queue_(queue), delay_(delay), stop_(stop) {}

  bool await_ready() const { return stop_.stop_requested(); }
  void await_suspend(std::coroutine_handle<> awaiting) {
    awaiting_ = awaiting;
    // Two things may end the sleep, on two threads, and this object with it: the callback is made
    // first, under a lock that holds the completion back until the alarm is set.
    const MutexLock lock(&mutex_);
    alarm_.Set(queue_, std::chrono::system_clock::now() + absl::ToChronoNanoseconds(delay_), tag());
    on_stop_.emplace(stop_, OnStop{this});
  }
  bool await_resume() {
    on_stop_.reset();
    return ok_;
  }
  void Complete(bool ok) override {
    {
      const MutexLock wait_for_await_suspend(&mutex_);
    }
    ok_ = ok;
    awaiting_.resume();
  }

 private:
  struct OnStop {
    SleepAwaiter* sleep;
    void operator()() const { sleep->alarm_.Cancel(); }
  };

  grpc::CompletionQueue* const queue_;
  const absl::Duration delay_;
  const std::stop_token& stop_;
  Mutex mutex_;
  grpc::Alarm alarm_;
  std::optional<std::stop_callback<OnStop>> on_stop_;
  std::coroutine_handle<> awaiting_;
  bool ok_ = false;
};

}  // namespace

Task<bool> CompletionLoop::Sleep(absl::Duration delay) {
  const std::stop_token stop = co_await CurrentStopToken();
  co_return co_await SleepAwaiter(queue(), delay, stop);
}

}  // namespace userservice
