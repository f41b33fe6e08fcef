#include "service/store/checkpointer.h"

#include <pthread.h>

#include <utility>

#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

// How long a writer waits for readers that still use the log: pages are short, so this is rarely
// used up.
constexpr int kReadersWaitMs = 100;

constexpr char kPassive[] = "PRAGMA wal_checkpoint(PASSIVE)";
constexpr char kRestart[] = "PRAGMA wal_checkpoint(RESTART)";
constexpr char kTruncate[] = "PRAGMA wal_checkpoint(TRUNCATE)";

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpointer>> Checkpointer::Open(const std::string& path) {
  sqlite::ConnectionOptions options(path, sqlite::OpenMode::kReadWrite);
  options.busy_timeout_ms = kReadersWaitMs;
  options.wal_autocheckpoint_pages = 0;
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(options);
  if (!connection.ok()) return StorageError(connection.status());
  return std::unique_ptr<Checkpointer>(new Checkpointer(*std::move(connection)));
}

Checkpointer::Checkpointer(std::unique_ptr<sqlite::Connection> connection)
    : connection_(std::move(connection)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "checkpoint");
}

Checkpointer::~Checkpointer() {
  {
    const absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  thread_.join();
}

void Checkpointer::Request() {
  const absl::MutexLock lock(&mutex_);
  requested_ = true;
}

absl::Status Checkpointer::RestartLog() { return Checkpoint(kRestart); }
absl::Status Checkpointer::TruncateLog() { return Checkpoint(kTruncate); }

absl::Status Checkpointer::Checkpoint(const char* sql) {
  const absl::MutexLock turn(&checkpoint_);
  return connection_->Execute(sql);
}

void Checkpointer::Run() {
  const auto has_work = [this]()
                            ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_ || requested_; };
  for (;;) {
    {
      const absl::MutexLock lock(&mutex_, absl::Condition(&has_work));
      if (closed_) return;
      requested_ = false;
    }
    (void)Checkpoint(kPassive);
  }
}

}  // namespace userservice::store
