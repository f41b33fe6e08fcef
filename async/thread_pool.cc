#include "async/thread_pool.h"

#include <pthread.h>

namespace userservice {

ThreadPool::ThreadPool(const std::string& name, size_t threads, size_t queue_jobs_max)
    : queue_jobs_max_(queue_jobs_max) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    const absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::TrySubmit(absl::AnyInvocable<void()> job) {
  const absl::MutexLock lock(&mutex_);
  if (closed_ || queue_.size() >= queue_jobs_max_) return false;
  queue_.push_back(std::move(job));
  return true;
}

size_t ThreadPool::queued_jobs() const {
  const absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void ThreadPool::Run() {
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_ || !queue_.empty(); };
  for (;;) {
    absl::AnyInvocable<void()> job;
    {
      const absl::MutexLock lock(&mutex_, absl::Condition(&has_work));
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace userservice
