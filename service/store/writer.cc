#include "service/store/writer.h"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "service/errors/errors.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/result.h"
#include "service/sqlite/transaction.h"
#include "service/store/call_limits.h"
#include "service/store/storage_error.h"
#include "service/store/user_scan.h"

namespace userservice::store {
namespace {

// How long a batch waits for the write lock, which another program may hold, and how often it looks
// meanwhile whether anybody still waits for it.
constexpr absl::Duration kLockWaitMax = absl::Seconds(5);
constexpr absl::Duration kLockTry = absl::Milliseconds(50);

// After an I/O error: is what is there still a database?
absl::Status Check(sqlite::Connection& connection) {
  sqlite::QueryScope row(connection, "PRAGMA quick_check(1)");
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  if (row.Text(0) == "ok") return absl::OkStatus();
  return errors::WithCause(errors::StorageUnavailable(), row.Text(0));
}

// The job's own end, and none of the storage's.
bool IsGivenUp(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) || absl::IsCancelled(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(const std::string& path,
                                                     const WriterOptions& options) {
  std::unique_ptr<Writer> writer(new Writer(path, options));
  if (absl::Status status = writer->OpenConnection(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Checkpointer>> checkpointer =
      Checkpointer::Open(path, writer->scans_);
  if (!checkpointer.ok()) return checkpointer.status();
  writer->checkpointer_ = *std::move(checkpointer);
  // A crash may have come between a deletion and the end of its erasure.
  if (!writer->checkpointer_->TruncateLog().ok()) writer->checkpointer_->RequestErase();
  Writer* const self = writer.get();
  writer->thread_ = std::thread([self] { self->Run(); });
  pthread_setname_np(writer->thread_.native_handle(), "writer");
  return writer;
}

Writer::Writer(std::string path, const WriterOptions& options)
    : path_(std::move(path)),
      options_(options),
      rate_(options.batch_rows_max, options.batch_time_max) {}

Writer::~Writer() { Close(); }

void Writer::Close() {
  {
    const MutexLock lock(&mutex_);
    closed_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

size_t Writer::open_jobs() const {
  const MutexLock lock(&mutex_);
  return queued_.jobs + running_.jobs;
}

Writer::Stats Writer::stats() const {
  const MutexLock lock(&mutex_);
  return stats_;
}

absl::Status Writer::Enqueue(WriteJob& job) {
  const absl::Time now = options_.clock();
  const MutexLock lock(&mutex_);
  if (closed_) return errors::ShuttingDown();
  Load with_it = queued_;
  with_it.Add(job.weight_);
  const bool is_too_much =
      with_it.rows > options_.queue_rows_max || with_it.bytes > options_.queue_bytes_max;
  if (is_too_much && queued_.jobs > 0)
    return errors::Overloaded("the queue of writes is full", TimeToRetry());
  // With nobody ahead a write is always taken: that is how a rate measured in bad times is measured
  // again.
  const bool somebody_ahead = running_.jobs + queued_.jobs > 0;
  // The batch that runs is whole; what is queued behind it will be packed anew.
  const absl::Duration turn = TimeFor(running_) + TimeFor(with_it);
  if (somebody_ahead && now + turn > job.context_.deadline) {
    return errors::Overloaded("a write can not be done before its deadline", TimeToRetry());
  }
  job.queued_at_ = now;
  queue_.push_back(&job);
  queued_ = with_it;
  return absl::OkStatus();
}

absl::Duration Writer::TimeFor(const Load& load) const {
  return rate_.TimeFor(load.jobs, load.rows);
}

absl::Duration Writer::TimeToRetry() const {
  return RetryAfter(TimeFor(running_) + TimeFor(queued_));
}

void Writer::Run() {
  std::vector<WriteJob*> batch;
  while (TakeBatch(batch)) RunBatch(batch);
  // What is left in the log is read by the next one to open the database, so nothing is lost if
  // this fails.
  (void)checkpointer_->TruncateLog();
  checkpointer_.reset();
  connection_.reset();
}

bool Writer::TakeBatch(std::vector<WriteJob*>& batch) {
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || !queue_.empty();
  };
  const MutexLock lock(&mutex_, Condition(&has_work));
  batch.clear();
  running_ = Load();
  while (!queue_.empty()) {
    const WriteWeight& weight = queue_.front()->weight_;
    if (!batch.empty() && running_.rows + weight.rows > options_.batch_rows_max) break;
    queued_.Remove(weight);
    running_.Add(weight);
    batch.push_back(queue_.front());
    queue_.pop_front();
  }
  return !batch.empty();
}

// The jobs from the one at `from` on, to the head of the queue.
void Writer::PutBack(std::vector<WriteJob*>& batch, size_t from) {
  const auto rest = batch.begin() + static_cast<std::ptrdiff_t>(from);
  const MutexLock lock(&mutex_);
  for (auto job = rest; job != batch.end(); ++job) {
    running_.Remove((*job)->weight_);
    queued_.Add((*job)->weight_);
  }
  queue_.insert(queue_.begin(), rest, batch.end());
  batch.erase(rest, batch.end());
}

void Writer::RunBatch(std::vector<WriteJob*>& batch) {
  const absl::Time begun = options_.clock();
  absl::Duration commit_time;
  absl::Status committed = ReopenIfBroken();
  if (committed.ok()) committed = RunAndCommit(batch, commit_time);
  if (committed.ok()) {
    committed_.Publish(last_revision_);
  } else {
    last_revision_ = committed_.value();
  }
  Acknowledge(batch, committed, begun, commit_time);
  if (committed.ok() && erases_from_log_) checkpointer_->RequestErase();
  LookAfterLog();
}

// Runs the batch, again without them if jobs that came to nothing took the transaction with them,
// and commits.
absl::Status Writer::RunAndCommit(std::vector<WriteJob*>& batch, absl::Duration& commit_time) {
  for (;;) {
    last_revision_ = committed_.value();
    erases_from_log_ = false;
    absl::StatusOr<sqlite::Transaction> transaction = Begin(batch);
    if (absl::IsDeadlineExceeded(transaction.status())) {
      if (!GiveUpEnded(batch)) return absl::OkStatus();
      return errors::WithCause(errors::StorageUnavailable(),
                               "another program holds the write lock");
    }
    if (!transaction.ok()) {
      broken_ = !sqlite::IsBusy(transaction.status());
      return StorageError(transaction.status());
    }
    const absl::StatusOr<bool> stands = RunJobs(batch);
    if (!stands.ok()) {
      broken_ = !absl::IsResourceExhausted(stands.status());
      return stands.status();
    }
    if (!*stands) continue;
    const absl::Time begun = options_.clock();
    const absl::Status committed = transaction->Commit();
    commit_time = options_.clock() - begun;
    broken_ = !committed.ok() && !absl::IsResourceExhausted(committed);
    return StorageError(committed);
  }
}

// Waits for the write lock as long as a job is left that wants it. kDeadlineExceeded: none is, or
// it took too long.
absl::StatusOr<sqlite::Transaction> Writer::Begin(const std::vector<WriteJob*>& batch) {
  const absl::Time end = absl::Now() + kLockWaitMax;
  for (;;) {
    const sqlite::QueryLimits limits(absl::Now() + kLockTry);
    absl::StatusOr<sqlite::Transaction> transaction =
        sqlite::Transaction::Begin(*connection_, sqlite::Transaction::Kind::kImmediate, limits);
    if (!absl::IsDeadlineExceeded(transaction.status())) return transaction;
    if (!GiveUpEnded(batch) || absl::Now() >= end) return transaction;
  }
}

// Whether any job is left.
bool Writer::GiveUpEnded(const std::vector<WriteJob*>& batch) {
  bool any_left = false;
  for (WriteJob* const job : batch) {
    if (job->given_up_) continue;
    job->outcome_ = CheckNotEnded(job->context_, *job->stop_, options_.clock());
    job->given_up_ = !job->outcome_.ok();
    any_left = any_left || !job->given_up_;
  }
  return any_left;
}

// True if the transaction may be committed. False if a job was given up that can only be undone
// with all of it. An error is the storage's, and the whole batch's. Jobs that the time bound leaves
// no room for go back to the head of the queue.
absl::StatusOr<bool> Writer::RunJobs(std::vector<WriteJob*>& batch) {
  const absl::Time end = options_.clock() + options_.batch_time_max;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (i > 0 && options_.clock() >= end) {
      PutBack(batch, i);
      break;
    }
    const bool undone = RunJob(*batch[i]);
    const absl::Status& outcome = batch[i]->outcome_;
    // Also where SQLite undid no more than one statement: who knows what else can not be read.
    if (absl::IsUnavailable(outcome)) return outcome;
    if (undone && connection_->in_transaction()) continue;
    if (batch[i]->given_up_) return false;
    if (!outcome.ok()) return outcome;
    return errors::Internal("a write ended the transaction that it ran in");
  }
  return true;
}

// False if the job failed and what it did is still there.
bool Writer::RunJob(WriteJob& job) {
  if (job.given_up_) return true;
  const absl::Time begun = options_.clock();
  const int64_t changes = connection_->total_changes();
  job.outcome_ = CheckNotEnded(job.context_, *job.stop_, begun);
  if (job.outcome_.ok()) {
    if (job.context_.timing != nullptr) job.context_.timing->queue_wait = begun - job.queued_at_;
    const sqlite::QueryLimits limits(job.context_.deadline, job.stop_);
    WriteScope scope(*connection_, limits, last_revision_);
    try {
      job.outcome_ = RunInScope(job, scope);
    } catch (const std::exception& exception) {
      job.outcome_ = errors::Internal(exception.what());
    } catch (...) {
      job.outcome_ = errors::Internal("a write threw something that is no std::exception");
    }
    if (job.outcome_.ok()) {
      last_revision_ = scope.last_revision();
      erases_from_log_ = erases_from_log_ || scope.erases_from_log();
    }
    job.statement_time_ = options_.clock() - begun;
  }
  const bool undone = job.outcome_.ok() || job.kind_ == WriteKind::kSeveralStatements ||
                      connection_->total_changes() == changes;
  job.given_up_ = !undone || IsGivenUp(job.outcome_);
  return undone;
}

absl::Status Writer::RunInScope(WriteJob& job, WriteScope& scope) {
  if (job.kind_ == WriteKind::kOneStatement) return StorageError(job.Run(scope));
  absl::StatusOr<sqlite::Savepoint> savepoint = sqlite::Savepoint::Begin(*connection_);
  if (!savepoint.ok()) return StorageError(savepoint.status());
  absl::Status status = StorageError(job.Run(scope));
  if (!status.ok()) return status;  // the savepoint goes back by itself
  if (scope.discarded()) {
    savepoint->Rollback();
    return status;
  }
  return StorageError(savepoint->Release());
}

void Writer::Acknowledge(const std::vector<WriteJob*>& batch, const absl::Status& committed,
                         absl::Time begun, absl::Duration commit_time) {
  DrainRate::Batch took;
  took.commit = options_.clock() - begun;
  for (const WriteJob* const job : batch) {
    took.commit -= job->statement_time_;
    // One that failed on its way may have done any part of its rows: it does not tell their cost.
    if (job->outcome_.ok()) took.AddJob(job->weight_.rows, job->statement_time_);
  }
  took.commit = std::max(took.commit, absl::ZeroDuration());  // the clock may be set back
  {
    const MutexLock lock(&mutex_);
    running_ = Load();
    rate_.Measure(took);
    ++stats_.batches;
    stats_.jobs += static_cast<int64_t>(batch.size());
    stats_.statements = connection_ ? connection_->active_statements() : 0;
  }
  for (WriteJob* const job : batch) {
    if (!committed.ok() && !job->given_up_) job->outcome_ = committed;
    if (job->context_.timing != nullptr && !job->given_up_) {
      job->context_.timing->sql = job->statement_time_ + commit_time;
    }
    // The job ends with its coroutine, which may run before PostTo returns.
    Executor::PostTo(job->executor_, [awaiting = job->awaiting_] { awaiting.resume(); });
  }
}

absl::Status Writer::OpenConnection() {
  sqlite::ConnectionOptions options(path_, sqlite::OpenMode::kReadWrite);
  options.cache_kib = options_.cache_kib;
  options.wal_autocheckpoint_pages = 0;
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(options);
  if (!connection.ok()) return StorageError(connection.status());
  const absl::StatusOr<int64_t> revision = ReadRevision(**connection);
  if (!revision.ok()) return revision.status();
  connection_ = *std::move(connection);
  last_revision_ = *revision;
  committed_.Publish(*revision);
  return absl::OkStatus();
}

absl::Status Writer::ReopenIfBroken() {
  if (!broken_) return absl::OkStatus();
  const absl::Time now = options_.clock();
  if (now - last_reopen_ < options_.reopen_interval) return errors::StorageUnavailable();
  last_reopen_ = now;
  connection_.reset();
  if (absl::Status status = OpenConnection(); !status.ok()) return status;
  if (absl::Status status = Check(*connection_); !status.ok()) return status;
  broken_ = false;
  return absl::OkStatus();
}

void Writer::LookAfterLog() {
  if (connection_ == nullptr) return;
  const int64_t pages = connection_->wal_pages();
  if (pages < checkpointed_at_) checkpointed_at_ = 0;  // the log began anew
  if (pages - checkpointed_at_ < options_.checkpoint_pages) return;
  checkpointed_at_ = pages;
  if (pages < options_.wal_pages_max) {
    checkpointer_->Request();
    return;
  }
  // Writes that never pause leave no moment in which the log could begin anew by itself.
  if (!checkpointer_->RestartLog().ok()) return;
  const MutexLock lock(&mutex_);
  ++stats_.log_restarts;
}

}  // namespace userservice::store
