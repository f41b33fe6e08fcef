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

// What waits for a loop that is never idle runs after so long.
constexpr absl::Duration kIdleWaitMax = absl::Milliseconds(1);

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
  for (absl::AnyInvocable<void()>& function : due) function();
}

void CompletionLoop::WhenIdle(absl::AnyInvocable<void()> function) {
  if (when_idle_.empty()) idle_by_ = absl::Now() + kIdleWaitMax;
  when_idle_.push_back(std::move(function));
}

void CompletionLoop::RunWhenIdle() {
  for (absl::AnyInvocable<void()>& function : std::exchange(when_idle_, {})) function();
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
  RunWhenIdle();
  SetCurrent(nullptr);
}

// Looks first without waiting where something is to run before the loop waits.
bool CompletionLoop::Next(void** tag, bool* ok) {
  if (!when_idle_.empty()) {
    if (absl::Now() < idle_by_) {
      const auto next = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_REALTIME));
      if (next != grpc::CompletionQueue::TIMEOUT) return next == grpc::CompletionQueue::GOT_EVENT;
    }
    RunWhenIdle();
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
