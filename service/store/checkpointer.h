// Checkpointer: copies the write-ahead log back into the database, on a thread and a connection of
// its own, so that commits do not wait for it.
//
//   checkpointer->Request();  // soon, if none is under way; more requests meanwhile are one
//
// A checkpoint beside running writes (PASSIVE) never blocks them, and may leave the newest part of
// the log. A log that only grows, since writes never pause, is started over by RestartLog, which
// its caller, the writer, waits for.
// Erasing: what was deleted stays in the log's file until that part is written over. RequestErase
// has the file cut to nothing, at most once a second, tried until it succeeds; commits wait
// meanwhile for readers that still use the log, not long, and new scans for them (log_gate.h). The
// writer's cache, whose pages may hold old copies, goes with it (sqlite/erasing_vfs.h).
// Threads: any, but RestartLog and TruncateLog from the writer's, between its transactions.
// Errors: a checkpoint that fails leaves the log longer, nothing else; the next one tries again.
// Source: https://www.sqlite.org/c3ref/wal_checkpoint_v2.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/mutex.h"
#include "service/sqlite/connection.h"
#include "service/store/log_gate.h"

namespace userservice::store {

class Checkpointer {
 public:
  // The gate that scans pass through outlives the checkpointer.
  static absl::StatusOr<std::unique_ptr<Checkpointer>> Open(const std::string& path,
                                                            LogGate& scans);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void Request() ABSL_LOCKS_EXCLUDED(mutex_);
  void RequestErase() ABSL_LOCKS_EXCLUDED(mutex_);

  // Copies back what is left, waits for readers, not long, and lets the next write begin the log
  // anew. kUnavailable if it could not be done wholly.
  absl::Status RestartLog() ABSL_LOCKS_EXCLUDED(checkpoint_);
  // The same, and cuts the file to nothing.
  absl::Status TruncateLog() ABSL_LOCKS_EXCLUDED(checkpoint_);

 private:
  enum class Work { kNone, kCheckpoint, kErase };

  Checkpointer(std::unique_ptr<sqlite::Connection> connection, LogGate& scans);
  void Run();
  Work AwaitWork() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status StartOver(const char* sql) ABSL_LOCKS_EXCLUDED(start_over_, checkpoint_);
  absl::Status Checkpoint(const char* sql) ABSL_LOCKS_EXCLUDED(checkpoint_);

  const std::unique_ptr<sqlite::Connection> connection_;
  Mutex checkpoint_;  // one checkpoint at a time: SQLite answers BUSY at once to a second one
  Mutex start_over_;  // one Pause at a time
  LogGate& scans_;
  Mutex mutex_;
  bool requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool erase_requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time erase_next_ = absl::InfinitePast();  // the thread's alone
  std::thread thread_;
};

}  // namespace userservice::store
