#include "service/rpc/call_host.h"

#include <limits>

#include "service/errors/errors.h"

namespace userservice::rpc {
namespace {

constexpr absl::Duration kOverloadRetryAfter = absl::Milliseconds(100);
constexpr absl::Duration kBetweenWarnings = absl::Seconds(1);
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

}  // namespace

CallHost::CallHost(int64_t calls_max, int64_t streams_max)
    : limits_{calls_max, streams_max, streams_max, streams_max, kNoLimit} {}

absl::Status CallHost::Admit(CallKind kind) {
  const bool while_draining = kind == CallKind::kImmediate || kind == CallKind::kHealthWatch;
  if (!while_draining && draining_token_.stop_requested()) return errors::ShuttingDown();
  const int64_t limit = limits_[static_cast<size_t>(kind)];
  if (live(kind).fetch_add(1) < limit) return absl::OkStatus();
  End(kind);
  if (kind == CallKind::kUnary) return errors::Overloaded("too many calls", kOverloadRetryAfter);
  return errors::TooManyStreams(static_cast<size_t>(limit));
}

void CallHost::End(CallKind kind) {
  if (live(kind).fetch_sub(1) != 1) return;
  const MutexLock look_again(&mutex_);
}

int64_t CallHost::live_calls() const {
  int64_t calls = 0;
  for (const std::atomic<int64_t>& of_kind : live_) calls += of_kind.load();
  return calls;
}

bool CallHost::WaitForNoCalls(absl::Time deadline) {
  const auto no_calls = [this] {
    for (size_t kind = 0; kind < kKinds; ++kind) {
      if (static_cast<CallKind>(kind) != CallKind::kReflection && live_[kind].load() != 0)
        return false;
    }
    return true;
  };
  const MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(Condition(&no_calls), deadline);
}

void CallHost::RemoveObject() {
  if (objects_.fetch_sub(1) == 1) objects_.notify_all();
}

void CallHost::WaitForNoObjects() {
  for (int64_t n = objects_.load(); n != 0; n = objects_.load()) objects_.wait(n);
}

std::optional<int64_t> CallHost::CountRefusal(absl::Time now) {
  refusals_.fetch_add(1);
  int64_t next = next_warning_ns_.load();
  const int64_t now_ns = absl::ToUnixNanos(now);
  if (now_ns < next) return std::nullopt;
  const int64_t after = absl::ToUnixNanos(now + kBetweenWarnings);
  if (!next_warning_ns_.compare_exchange_strong(next, after)) return std::nullopt;
  return refusals_.exchange(0);
}

}  // namespace userservice::rpc
