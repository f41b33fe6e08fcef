// What the calls of one client share: its channels, its loop, and the count of calls that are
// alive.
//
// Lifetime: Core outlives every call. WaitForCalls() blocks until there are none; then the loop may
//   be closed.
// Threads: all members may be called from any thread.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "async/completion_loop.h"
#include "async/mutex.h"
#include "client/options.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/channel.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::internal {

using UserStub = users::v1::UserService::Stub;
using HealthStub = ::grpc::health::v1::Health::Stub;

class Core {
 public:
  Core(ClientOptions options, const std::shared_ptr<grpc::Channel>& retrying,
       const std::shared_ptr<grpc::Channel>& plain);
  ~Core();

  const ClientOptions& options() const { return options_; }
  grpc::CompletionQueue* queue() { return loop_.queue(); }
  CompletionLoop& loop() { return loop_; }
  UserStub& retrying() { return *retrying_; }
  UserStub& plain() { return *plain_; }
  HealthStub& health() { return *health_; }

  // True on the thread of this client's loop, where nothing may wait for the loop.
  bool OnOwnThread() const { return Executor::Current() == &loop_; }

 private:
  friend class LiveCall;
  void WaitForCalls();

  const ClientOptions options_;
  const std::unique_ptr<UserStub> retrying_;
  const std::unique_ptr<UserStub> plain_;
  const std::unique_ptr<HealthStub> health_;
  Mutex mutex_;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  CompletionLoop loop_;
};

// Holds the client open while it exists.
class LiveCall {
 public:
  explicit LiveCall(Core& core);
  ~LiveCall();
  LiveCall(const LiveCall&) = delete;
  LiveCall& operator=(const LiveCall&) = delete;

 private:
  Core& core_;
};

// Waits for the calls in flight and deletes the core. May be called on any thread: on the core's
// own, where it would wait for itself, another thread does it, and the program's exit waits for
// that.
void EndCore(Core* core);

}  // namespace userservice::internal
