// LogGate: keeps scans off the write-ahead log while it is started over.
//
//   const LogGate::Scan scan(gate);                   // a scan, for one call
//   const LogGate::Pause pause(gate, kScansWaitMax);  // whoever starts the log over
//
// SQLite starts a log over only in a moment when nobody reads from it, and two scans that overlap
// all the time leave none: the log would grow without end. During a Pause new scans wait for its
// end, while it waits for those that run, but not past its bound. Point reads are short, and need
// no gate. Threads: any; a thread holds one Scan at most.
#pragma once

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "async/mutex.h"

namespace userservice::store {

class LogGate {
 public:
  LogGate() = default;
  LogGate(const LogGate&) = delete;
  LogGate& operator=(const LogGate&) = delete;

  class Scan {
   public:
    // Null: no gate.
    explicit Scan(LogGate* gate) : gate_(gate) {
      if (gate_ != nullptr) gate_->Enter();
    }
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;
    ~Scan() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    LogGate* const gate_;
  };

  // One at a time. A scan that takes longer than `wait_max` goes on beside it.
  class Pause {
   public:
    Pause(LogGate& gate, absl::Duration wait_max) : gate_(gate) { gate_.Close(wait_max); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { gate_.Open(); }

   private:
    LogGate& gate_;
  };

 private:
  void Enter() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_, Condition(+[](bool* closed) { return !*closed; }, &closed_));
    ++scans_;
  }
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    --scans_;
  }
  void Close(absl::Duration wait_max) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    closed_ = true;
    mutex_.AwaitWithTimeout(
        Condition(+[](size_t* scans) { return *scans == 0; }, &scans_), wait_max);
  }
  void Open() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(&mutex_);
    closed_ = false;
  }

  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  size_t scans_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace userservice::store
