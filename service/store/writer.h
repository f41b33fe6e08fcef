// Writer: the one thread that writes, with the one read-write connection, and group commit.
//
//   auto insert = [&](WriteScope& scope) -> absl::StatusOr<int64_t> { ... };
//   absl::StatusOr<int64_t> id = co_await writer.Write(context, WriteKind::kOneStatement, insert);
//
// Group commit: what arrived while the last commit was syncing goes into the next transaction
//   together. A job that fails undoes its own changes and never its neighbours'. Nothing is
//   acknowledged before COMMIT has returned, durable (synchronous=FULL); if COMMIT fails, every job
//   of the batch fails with it.
// Revisions: allotted here, one for each job that changes something (WriteScope::TakeRevision),
//   strictly increasing and without gaps; a failed transaction gives its numbers back. committed()
//   tells of each once it is durable.
// Limits: queue and batches are measured in rows, since one job may write 1,000 of them, the queue
//   also in the bytes that wait in it. What is too much for the queue, and a job whose deadline
//   would pass before it is done at the rate measured of late (drain_rate.h), is OVERLOADED with
//   the time after which to come back; a queue or a batch that is empty takes one job of any
//   weight. A job whose deadline passed or whose task was stopped in the queue is not run, nor
//   waits longer for the lock that another program holds.
// I/O errors, in a job or in a commit: the batch fails, and writes are STORAGE_UNAVAILABLE until
//   the database was opened anew and checked, which the next write tries, at most once a second.
// Checkpoints: beside the writes, see checkpointer.h; the writer itself restarts a log that has
//   grown past its bound.
// Ending: Close() refuses new jobs with SHUTTING_DOWN, runs what is queued, and empties the log.
// Threads: Write, committed, open_jobs and stats from any; Close from the owner's.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "async/broadcast.h"
#include "async/mutex.h"
#include "async/task.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/transaction.h"
#include "service/store/checkpointer.h"
#include "service/store/drain_rate.h"
#include "service/store/log_gate.h"
#include "service/store/user_store.h"
#include "service/store/write_job.h"

namespace userservice::store {

struct WriterOptions {
  WriterOptions() = default;

  size_t queue_rows_max = 65'536;
  size_t queue_bytes_max = 64UL << 20;
  size_t batch_rows_max = 4096;
  absl::Duration batch_time_max =
      absl::Milliseconds(50);  // statements only; the commit comes on top
  // Of the writer's connection, with room for the pages that a batch changes: what has none goes to
  // the log before the commit, and is read again. Kept from batch to batch; only writes fill it.
  int cache_kib = 32'768;
  absl::Duration reopen_interval = absl::Seconds(1);  // between two attempts after an I/O error
  int64_t checkpoint_pages = 4000;  // the log is copied back each time it has grown by so much
  int64_t wal_pages_max = 16384;    // 64 MiB at 4 KiB a page: then writes wait for it
  std::function<absl::Time()> clock = absl::Now;
};

class Writer {
 public:
  // Opens a database that PrepareDatabase has prepared. Errors: of the catalogue.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(const std::string& path,
                                                      const WriterOptions& options);
  ~Writer();  // Close()
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Runs `function` (WriteScope& -> absl::Status or absl::StatusOr<T>) on the writer's thread, see
  // write_job.h, and gives its result once it is durable. `function` and the context's timing must
  // outlive the task.
  template <class Function, class Result = std::invoke_result_t<Function&, WriteScope&>>
  Task<Result> Write(CallContext context, WriteKind kind, Function& function,
                     WriteWeight weight = WriteWeight());

  // What scans pass through.
  LogGate& scans() { return scans_; }

  // The newest durable revision.
  Broadcast& committed() { return committed_; }

  void Close();

  // Jobs queued or running.
  size_t open_jobs() const;

  struct Stats {
    int64_t batches = 0;       // transactions committed or failed
    int64_t jobs = 0;          // in them
    int64_t log_restarts = 0;  // of a log past its bound
    size_t statements = 0;     // active on the writer's connection after the last batch
  };
  Stats stats() const;

 private:
  // What several jobs are together.
  struct Load {
    size_t jobs = 0;
    size_t rows = 0;
    size_t bytes = 0;

    void Add(const WriteWeight& weight) {
      ++jobs;
      rows += weight.rows;
      bytes += weight.bytes;
    }
    void Remove(const WriteWeight& weight) {
      --jobs;
      rows -= weight.rows;
      bytes -= weight.bytes;
    }
  };

  Writer(std::string path, const WriterOptions& options);

  // What it will take at the rate measured of late.
  absl::Duration TimeFor(const Load& load) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // After which one that is refused now should come back.
  absl::Duration TimeToRetry() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // Takes the job, which will be resumed, or says why not.
  absl::Status Enqueue(WriteJob& job);
  template <class Function, class Result>
  class FunctionJob;

  // On the writer's thread.
  void Run();
  bool TakeBatch(std::vector<WriteJob*>& batch);
  void PutBack(std::vector<WriteJob*>& batch, size_t from);
  void RunBatch(std::vector<WriteJob*>& batch);
  absl::Status RunAndCommit(std::vector<WriteJob*>& batch, absl::Duration& commit_time);
  absl::StatusOr<sqlite::Transaction> Begin(const std::vector<WriteJob*>& batch);
  bool GiveUpEnded(const std::vector<WriteJob*>& batch);
  absl::StatusOr<bool> RunJobs(std::vector<WriteJob*>& batch);
  [[nodiscard]] bool RunJob(WriteJob& job);
  absl::Status RunInScope(WriteJob& job, WriteScope& scope);
  void Acknowledge(const std::vector<WriteJob*>& batch, const absl::Status& committed,
                   absl::Time begun, absl::Duration commit_time);
  absl::Status OpenConnection();
  absl::Status ReopenIfBroken();
  void LookAfterLog();

  const std::string path_;
  const WriterOptions options_;
  Broadcast committed_;
  LogGate scans_;

  mutable Mutex mutex_;
  std::deque<WriteJob*> queue_ ABSL_GUARDED_BY(mutex_);
  Load queued_ ABSL_GUARDED_BY(mutex_);
  Load running_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  DrainRate rate_ ABSL_GUARDED_BY(mutex_);
  Stats stats_ ABSL_GUARDED_BY(mutex_);

  // The writer's thread alone, once it runs.
  std::unique_ptr<sqlite::Connection> connection_;
  std::unique_ptr<Checkpointer> checkpointer_;
  int64_t last_revision_ = 0;     // of the open transaction
  bool erases_from_log_ = false;  // the open transaction
  int64_t checkpointed_at_ = 0;   // pages in the log when its last checkpoint was asked for
  bool broken_ = false;
  absl::Time last_reopen_ = absl::InfinitePast();

  std::thread thread_;
};

namespace internal {

inline absl::Status StatusOf(const absl::Status& result) { return result; }
template <class T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace internal

// The awaitable of one write.
template <class Function, class Result>
class Writer::FunctionJob final : public WriteJob {
 public:
  FunctionJob(Writer& writer, const CallContext& context, WriteKind kind, Function& function,
              const WriteWeight& weight)
      : WriteJob(context, kind, weight), writer_(writer), function_(function) {}

  absl::Status Run(WriteScope& scope) override {
    result_.emplace(function_(scope));
    return internal::StatusOf(*result_);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    WillResume(awaiting, awaiting.promise().stop_token());
    absl::Status refused = writer_.Enqueue(*this);
    // Once it was taken the writer may have resumed the coroutine already, and with it ended this
    // object.
    if (refused.ok()) return true;
    result_.emplace(std::move(refused));
    return false;
  }
  Result await_resume() {
    if (!outcome().ok()) return outcome();
    return *std::move(result_);
  }

 private:
  Writer& writer_;
  Function& function_;
  std::optional<Result> result_;
};

template <class Function, class Result>
Task<Result> Writer::Write(CallContext context, WriteKind kind, Function& function,
                           WriteWeight weight) {
  FunctionJob<Function, Result> job(*this, context, kind, function, weight);
  co_return co_await job;
}

}  // namespace userservice::store
