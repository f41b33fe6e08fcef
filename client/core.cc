#include "client/core.h"

#include <atomic>
#include <list>
#include <thread>
#include <utility>

namespace userservice::internal {

Core::Core(ClientOptions options, const std::shared_ptr<grpc::Channel>& retrying,
           const std::shared_ptr<grpc::Channel>& plain)
    : options_(std::move(options)),
      retrying_(users::v1::UserService::NewStub(retrying)),
      plain_(users::v1::UserService::NewStub(plain)),
      health_(::grpc::health::v1::Health::NewStub(retrying)),
      loop_(std::make_unique<grpc::CompletionQueue>(), "user_client") {}

Core::~Core() {
  WaitForCalls();
  loop_.Close();
}

void Core::WaitForCalls() {
  const auto no_calls = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return calls_ == 0; };
  const MutexLock lock(&mutex_, Condition(&no_calls));
}

LiveCall::LiveCall(Core& core) : core_(core) {
  const MutexLock lock(&core_.mutex_);
  ++core_.calls_;
}

LiveCall::~LiveCall() {
  // The core may end as soon as the lock is released, but not before the loop's thread, which this
  // is, has ended.
  const MutexLock lock(&core_.mutex_);
  --core_.calls_;
}

namespace {

// Threads that end cores. Joined at exit, so that none runs while the program's statics are
// destroyed.
class Undertaker {
 public:
  ~Undertaker() {
    for (Grave& grave : graves_) grave.thread.join();
  }

  void Take(Core* core) {
    const MutexLock lock(&mutex_);
    for (auto it = graves_.begin(); it != graves_.end();) {
      if (!it->done) {
        ++it;
        continue;
      }
      it->thread.join();
      it = graves_.erase(it);
    }
    Grave& grave = graves_.emplace_back();
    grave.thread = std::thread([core, &grave] {
      delete core;
      grave.done = true;
    });
  }

 private:
  struct Grave {
    std::thread thread;
    std::atomic<bool> done{false};
  };
  Mutex mutex_;
  std::list<Grave> graves_;
};

}  // namespace

void EndCore(Core* core) {
  if (!core->OnOwnThread()) {
    delete core;
    return;
  }
  static Undertaker undertaker;
  undertaker.Take(core);
}

}  // namespace userservice::internal
