#include "service/store/tombstone_compactor.h"

#include <pthread.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "async/block_on.h"
#include "service/sqlite/query_scope.h"
#include "service/store/log_gate.h"
#include "service/store/schema.h"
#include "service/store/storage_error.h"
#include "service/store/stored_time.h"

namespace userservice::store {
namespace {

// Of one transaction; the last revision of them may have as many more.
constexpr int64_t kDroppedMax = 1000;

constexpr char kSelectSurplus[] =
    "SELECT revision FROM tombstones ORDER BY revision DESC LIMIT 1 OFFSET ?";

// Tombstones are made in the order of their revisions, so that the oldest come first.
constexpr char kSelectOldest[] =
    "SELECT revision, deleted_at FROM tombstones ORDER BY revision LIMIT ?";

constexpr char kDeleteTombstones[] = "DELETE FROM tombstones WHERE revision <= ?";

constexpr char kSetCompacted[] = "UPDATE service_state SET value = ? WHERE key = ?";

struct Outdated {
  int64_t last_revision = 0;
  size_t rows = 0;
};

// The oldest that are to go.
absl::StatusOr<Outdated> ReadOutdated(sqlite::Connection& connection, std::string_view kept_since,
                                      int64_t surplus) {
  sqlite::QueryScope row(connection, kSelectOldest);
  row.Bind(kDroppedMax);
  for (Outdated outdated;; ++outdated.rows) {
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return outdated;
    if (row.Int64(0) > surplus && row.Text(1) >= kept_since) return outdated;
    outdated.last_revision = row.Int64(0);
  }
}

absl::StatusOr<int64_t> DropUpTo(const WriteScope& scope, int64_t revision) {
  const int64_t changes = scope.connection().total_changes();
  {
    sqlite::QueryScope row(scope.connection(), kDeleteTombstones, scope.limits());
    if (absl::Status status = row.Bind(revision).Run(); !status.ok()) return StorageError(status);
  }
  const int64_t dropped = scope.connection().total_changes() - changes;
  sqlite::QueryScope row(scope.connection(), kSetCompacted, scope.limits());
  const absl::Status status = row.Bind(revision, kCompactedRevisionState).Run();
  if (!status.ok()) return StorageError(status);
  return dropped;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TombstoneCompactor>> TombstoneCompactor::Open(
    const std::string& path, Writer& writer, const TombstoneOptions& options) {
  const sqlite::ConnectionOptions read_only(path, sqlite::OpenMode::kReadOnly);
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection =
      sqlite::Connection::Open(read_only);
  if (!connection.ok()) return StorageError(connection.status());
  return std::unique_ptr<TombstoneCompactor>(
      new TombstoneCompactor(*std::move(connection), writer, options));
}

TombstoneCompactor::TombstoneCompactor(std::unique_ptr<sqlite::Connection> connection,
                                       Writer& writer, const TombstoneOptions& options)
    : writer_(writer),
      options_(options),
      connection_(std::move(connection)),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "compact");
}

TombstoneCompactor::~TombstoneCompactor() {
  {
    const MutexLock lock(&mutex_);
    closed_ = true;
  }
  thread_.join();
}

void TombstoneCompactor::Run() {
  for (;;) {
    {
      const MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(
          Condition(+[](bool* closed) { return *closed; }, &closed_), options_.interval);
      if (closed_) return;
    }
    (void)Compact();
  }
}

bool TombstoneCompactor::is_closed() const {
  const MutexLock lock(&mutex_);
  return closed_;
}

absl::StatusOr<int64_t> TombstoneCompactor::Compact() {
  const absl::StatusOr<int64_t> surplus = ReadSurplus();
  if (!surplus.ok()) return surplus;
  for (int64_t all = 0;;) {
    const absl::StatusOr<int64_t> dropped = DropSome(*surplus);
    if (!dropped.ok()) return dropped;
    all += *dropped;
    if (*dropped == 0 || is_closed()) return all;
    absl::SleepFor(absl::Milliseconds(1));  // turn_ is not fair: who waits for it shall get it
  }
}

absl::StatusOr<int64_t> TombstoneCompactor::ReadSurplus() {
  const MutexLock turn(&turn_);
  const LogGate::Scan scan(&writer_.scans());
  sqlite::QueryScope row(*connection_, kSelectSurplus);
  row.Bind(options_.count_max);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  return *found ? row.Int64(0) : 0;
}

absl::StatusOr<int64_t> TombstoneCompactor::DropSome(int64_t surplus) {
  const MutexLock turn(&turn_);
  const std::string kept_since = FormatStoredTime(options_.clock() - options_.age_max);
  const absl::StatusOr<Outdated> outdated = ReadOutdated(*connection_, kept_since, surplus);
  if (!outdated.ok()) return outdated.status();
  if (outdated->rows == 0) return 0;
  auto drop = [&](WriteScope& scope) { return DropUpTo(scope, outdated->last_revision); };
  const WriteWeight weight(outdated->rows, 0);
  return BlockOn(writer_.Write(CallContext(), WriteKind::kSeveralStatements, drop, weight));
}

}  // namespace userservice::store
