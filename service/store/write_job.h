// WriteJob and WriteScope: one write, as the writer runs it. See writer.h, whose Write() makes a
// co_await of one.
//
// A job runs on the writer's thread inside an open transaction that it shares with its neighbours.
// It may run more than once (when a neighbour was interrupted, SQLite rolls back the whole
// transaction, and the others run again in a new one), so it must set its result anew each time and
// change nothing but the database.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/executor.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/query_scope.h"
#include "service/store/user_store.h"

namespace userservice::store {

class Writer;

// How many statements of a job change something. With one, SQLite itself undoes what a failure
// leaves; with several, the writer puts a savepoint around them.
enum class WriteKind { kOneStatement, kSeveralStatements };

// What a job weighs: a batch of 1,000 users is in the way of others as long as 1,000 writes of one.
struct WriteWeight {
  WriteWeight() = default;
  WriteWeight(size_t rows_written, size_t bytes_held) : rows(rows_written), bytes(bytes_held) {}

  size_t rows = 1;   // that it may write
  size_t bytes = 0;  // of its request, which waits with it
};

// What a job is given to work with. Valid while the job runs.
class WriteScope {
 public:
  WriteScope(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
             int64_t last_revision)
      : connection_(connection), limits_(limits), last_revision_(last_revision) {}
  WriteScope(const WriteScope&) = delete;
  WriteScope& operator=(const WriteScope&) = delete;

  sqlite::Connection& connection() const { return connection_; }
  // The call's deadline and stop token, for each of the job's statements.
  const sqlite::QueryLimits& limits() const { return limits_; }

  // The revision of what this job changes: one a job. A job that fails, discards, or never takes it
  // consumes none.
  int64_t next_revision() const { return last_revision_ + 1; }
  int64_t TakeRevision() {
    took_revision_ = true;
    return last_revision_ + 1;
  }

  // Undoes what the job changed although it succeeds. Only for WriteKind::kSeveralStatements.
  void Discard() { discarded_ = true; }

  // What the job removed is to vanish from the write-ahead log too, soon after its commit.
  void EraseFromLog() { erases_from_log_ = true; }

  bool discarded() const { return discarded_; }
  bool erases_from_log() const { return erases_from_log_ && !discarded_; }
  // The newest revision after this job.
  int64_t last_revision() const {
    return took_revision_ && !discarded_ ? last_revision_ + 1 : last_revision_;
  }

 private:
  sqlite::Connection& connection_;
  const sqlite::QueryLimits& limits_;
  const int64_t last_revision_;
  bool took_revision_ = false;
  bool discarded_ = false;
  bool erases_from_log_ = false;
};

// Lives in the frame of the coroutine that waits for it. The writer keeps a pointer from Enqueue
// until it resumes it.
class WriteJob {
 public:
  WriteJob(const CallContext& context, WriteKind kind, const WriteWeight& weight)
      : context_(context), kind_(kind), weight_(weight) {}
  WriteJob(const WriteJob&) = delete;
  WriteJob& operator=(const WriteJob&) = delete;
  virtual ~WriteJob() = default;

  // Whether the job as such went well. An exception costs the job an INTERNAL.
  virtual absl::Status Run(WriteScope& scope) = 0;

 protected:
  // Set by the writer before it resumes the coroutine: OK, or why the job came to nothing.
  const absl::Status& outcome() const { return outcome_; }
  void WillResume(std::coroutine_handle<> awaiting, const std::stop_token& stop) {
    awaiting_ = awaiting;
    stop_ = &stop;
    executor_ = Executor::Current();
  }

 private:
  friend class Writer;

  const CallContext context_;
  const WriteKind kind_;
  const WriteWeight weight_;
  std::coroutine_handle<> awaiting_;
  const std::stop_token* stop_ = nullptr;
  Executor* executor_ = nullptr;
  absl::Time queued_at_;
  absl::Duration statement_time_;
  bool given_up_ = false;  // it came to nothing on its own account, and does not run again
  absl::Status outcome_;
};

}  // namespace userservice::store
