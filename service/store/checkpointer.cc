#include "service/store/checkpointer.h"

#include <pthread.h>

#include <utility>

#include "absl/time/clock.h"
#include "service/sqlite/query_scope.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

// How long commits wait for scans that run: a page is shorter, where there is a processor for it.
constexpr absl::Duration kScansWaitMax = absl::Milliseconds(250);

// And then for point reads and other programs.
constexpr int kReadersWaitMs = 100;

// Erasing makes commits wait: a flood of deletions is to pay for it once a second.
constexpr absl::Duration kEraseInterval = absl::Seconds(1);

constexpr char kPassive[] = "PRAGMA wal_checkpoint(PASSIVE)";
constexpr char kRestart[] = "PRAGMA wal_checkpoint(RESTART)";
constexpr char kTruncate[] = "PRAGMA wal_checkpoint(TRUNCATE)";

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpointer>> Checkpointer::Open(const std::string& path,
                                                                 LogGate& scans) {
  sqlite::ConnectionOptions options(path, sqlite::OpenMode::kReadWrite);
  options.busy_timeout_ms = kReadersWaitMs;
  options.wal_autocheckpoint_pages = 0;
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(options);
  if (!connection.ok()) return StorageError(connection.status());
  return std::unique_ptr<Checkpointer>(new Checkpointer(*std::move(connection), scans));
}

Checkpointer::Checkpointer(std::unique_ptr<sqlite::Connection> connection, LogGate& scans)
    : connection_(std::move(connection)), scans_(scans), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "checkpoint");
}

Checkpointer::~Checkpointer() {
  {
    const MutexLock lock(&mutex_);
    closed_ = true;
  }
  thread_.join();
}

void Checkpointer::Request() {
  const MutexLock lock(&mutex_);
  requested_ = true;
}

void Checkpointer::RequestErase() {
  const MutexLock lock(&mutex_);
  erase_requested_ = true;
}

absl::Status Checkpointer::RestartLog() { return StartOver(kRestart); }
absl::Status Checkpointer::TruncateLog() { return StartOver(kTruncate); }

absl::Status Checkpointer::StartOver(const char* sql) {
  const MutexLock turn(&start_over_);
  const LogGate::Pause pause(scans_, kScansWaitMax);
  return Checkpoint(sql);
}

// The pragma's row begins with whether somebody was in the way.
absl::Status Checkpointer::Checkpoint(const char* sql) {
  const MutexLock turn(&checkpoint_);
  sqlite::QueryScope checkpoint(*connection_, sql);
  const absl::StatusOr<bool> row = checkpoint.Step();
  if (!row.ok()) return row.status();
  if (checkpoint.Int64(0) != 0) return absl::UnavailableError("the write-ahead log is in use");
  return absl::OkStatus();
}

Checkpointer::Work Checkpointer::AwaitWork() {
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || requested_ || erase_requested_;
  };
  const auto has_urgent_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || requested_;
  };
  const MutexLock lock(&mutex_, Condition(&has_work));
  const bool is_urgent = mutex_.AwaitWithDeadline(Condition(&has_urgent_work), erase_next_);
  if (closed_) return Work::kNone;
  requested_ = false;
  if (is_urgent && absl::Now() < erase_next_) return Work::kCheckpoint;
  return std::exchange(erase_requested_, false) ? Work::kErase : Work::kCheckpoint;
}

void Checkpointer::Run() {
  for (Work work = AwaitWork(); work != Work::kNone; work = AwaitWork()) {
    // The most of it beside the writes, also where the rest will hold them up.
    (void)Checkpoint(kPassive);
    if (work != Work::kErase) continue;
    if (!TruncateLog().ok()) RequestErase();
    erase_next_ = absl::Now() + kEraseInterval;
  }
}

}  // namespace userservice::store
