// Notification: one thread tells others, once, that something has happened. As absl::Notification,
// over a mutex that ThreadSanitizer sees.
#pragma once

#include "absl/time/time.h"
#include "async/mutex.h"

namespace userservice {

class Notification {
 public:
  void Notify() {
    const MutexLock lock(&mutex_);
    notified_ = true;
  }
  bool HasBeenNotified() const {
    const MutexLock lock(&mutex_);
    return notified_;
  }
  void WaitForNotification() const {
    const auto notified = [this] { return notified_; };
    const MutexLock lock(&mutex_, Condition(&notified));
  }
  // False if it has not happened by then.
  bool WaitForNotificationWithTimeout(absl::Duration timeout) const {
    const auto notified = [this] { return notified_; };
    const MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(Condition(&notified), timeout);
  }

 private:
  mutable Mutex mutex_;
  bool notified_ = false;
};

}  // namespace userservice
