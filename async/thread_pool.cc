#include "async/thread_pool.h"

#include <pthread.h>
#include <sys/resource.h>

namespace userservice {

ThreadPool::ThreadPool(const std::string& name, size_t threads, size_t queue_jobs_max, int niceness)
    : queue_jobs_max_(queue_jobs_max) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, niceness] { Run(niceness); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    const MutexLock lock(&mutex_);
    closed_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::TrySubmit(absl::AnyInvocable<void()> job) {
  const MutexLock lock(&mutex_);
  if (closed_ || queue_.size() >= queue_jobs_max_) return false;
  queue_.push_back(std::move(job));
  return true;
}

size_t ThreadPool::queued_jobs() const {
  const MutexLock lock(&mutex_);
  return queue_.size();
}

void ThreadPool::Run(int niceness) {
  // On Linux this is of the thread, not of the process. It can not fail where it lowers the
  // priority.
  if (niceness > 0) setpriority(PRIO_PROCESS, 0, niceness);
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || !queue_.empty();
  };
  for (;;) {
    absl::AnyInvocable<void()> job;
    {
      const MutexLock lock(&mutex_, Condition(&has_work));
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace userservice
