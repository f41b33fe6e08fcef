// CallHost: what all calls of a server share: how many there may be and are, whether the server
// drains, and the warnings about refused calls.
//
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/mutex.h"

namespace userservice::rpc {

// Each kind has its own limit, so that none takes the room of another.
enum class CallKind {
  kUnary,
  kStream,
  // A health Watch. Admitted while the server drains too: it then says NOT_SERVING and ends.
  kHealthWatch,
  // A reflection stream, which a tool may leave idle for hours: a drain does not wait for it.
  kReflection,
  // Without a limit, and admitted while draining, since it waits for nothing: unknown methods, and
  // health checks, because a busy server that refuses them gets restarted for being busy.
  kImmediate,
};

class CallHost {
 public:
  // How many unary calls may be handled at once, and how many streams of each kind.
  CallHost(int64_t calls_max, int64_t streams_max);

  // Asks streams to end after their current message; new calls are refused with SHUTTING_DOWN.
  void StartDraining() { draining_.request_stop(); }
  const std::stop_token& draining() const { return draining_token_; }

  // Counts one more call, or says why there may not be one: SHUTTING_DOWN, OVERLOADED,
  // TOO_MANY_STREAMS. An admitted call ends with End.
  absl::Status Admit(CallKind kind);
  void End(CallKind kind);

  // Calls that are handled now.
  int64_t live_calls() const;
  // Blocks until no call is handled that a drain waits for; false if some are at `deadline`.
  [[nodiscard]] bool WaitForNoCalls(absl::Time deadline);

  // Call objects: those of live calls, and the armed ones.
  void AddObject() { objects_.fetch_add(1); }
  void RemoveObject();
  // Blocks until there are none. Only after the gRPC server was shut down.
  void WaitForNoObjects();

  // Called for each call that was refused. Gives, at most once a second, how many there have been
  // since the last time: an overloaded server must not spend itself on its log.
  std::optional<int64_t> CountRefusal(absl::Time now);

 private:
  static constexpr size_t kKinds = static_cast<size_t>(CallKind::kImmediate) + 1;

  std::atomic<int64_t>& live(CallKind kind) { return live_[static_cast<size_t>(kind)]; }

  const std::array<int64_t, kKinds> limits_;
  std::array<std::atomic<int64_t>, kKinds> live_{};
  std::stop_source draining_;
  const std::stop_token draining_token_ = draining_.get_token();
  std::atomic<int64_t> objects_{0};
  std::atomic<int64_t> refusals_{0};
  std::atomic<int64_t> next_warning_ns_{0};
  Mutex mutex_;  // only to wait for live calls
};

}  // namespace userservice::rpc
