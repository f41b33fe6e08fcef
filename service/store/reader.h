// Reader: runs reads on read-only connections of its own, on the calling thread or on a few threads
// behind a bounded queue.
//
//   auto find = [user_id](sqlite::Connection& connection, const sqlite::QueryLimits& limits)
//       -> absl::StatusOr<users::v1::User> { ... };
//   return reader.Read(context, writer.committed(), find);
//
// A read waits for the context's min_revision first, and holds no connection while it does.
// Limits: a full queue is OVERLOADED, with the time it takes to drain; so is one more read than may
// wait for a revision, which may never come. DEADLINE_EXPIRED and
// CALL_CANCELLED, see call_limits.h. Threads: any; the task resumes on the executor that it was
// started on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "async/broadcast.h"
#include "async/stop.h"
#include "async/task.h"
#include "async/thread_pool.h"
#include "service/sqlite/connection_pool.h"
#include "service/store/call_limits.h"
#include "service/store/log_gate.h"
#include "service/store/point_snapshots.h"
#include "service/store/user_store.h"

namespace userservice::store {

struct ReaderOptions {
  ReaderOptions() = default;

  std::string thread_name;
  size_t threads = 0;  // 0: reads run where they are asked for
  size_t connections =
      1;  // at least as many as threads; on 0 threads, how many callers read at once
  size_t queue_jobs_max = 0;  // of the threads
  int niceness = 0;           // of the threads; above 0 their statements yield, too
  int cache_kib = 8192;       // of each connection: what its page cache may grow to
  size_t revision_waits_max = 256;
  LogGate* log_gate = nullptr;  // what each read passes through, if it may be long; outlives it
};

class Reader {
 public:
  // Errors: of the catalogue.
  static absl::StatusOr<std::unique_ptr<Reader>> Open(const std::string& path,
                                                      const ReaderOptions& options);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Gives what `function` (sqlite::Connection&, const sqlite::QueryLimits& -> absl::StatusOr<T>)
  // gives. The context's timing and `committed` outlive the task.
  template <class Function, class Result = std::invoke_result_t<Function&, sqlite::Connection&,
                                                                const sqlite::QueryLimits&>>
  Task<Result> Read(CallContext context, Broadcast& committed, Function function);

  // The same for a `function` that is short, and may share its snapshot with others, see
  // point_snapshots.h. If it wants a transaction, that is Transaction::BeginRead.
  template <class Function, class Result = std::invoke_result_t<Function&, sqlite::Connection&,
                                                                const sqlite::QueryLimits&>>
  Task<Result> ReadPoint(CallContext context, Broadcast& committed, Function function);

  size_t leased() const { return connections_->leased(); }
  size_t active_statements() const { return connections_->active_statements(); }

 private:
  Reader(std::unique_ptr<sqlite::ConnectionPool> connections, const ReaderOptions& options);

  template <class Result, class Function>
  Result ReadHere(const CallContext& context, const std::stop_token& stop, absl::Time asked,
                  Function& function);
  template <class Result, class Function>
  Result Run(sqlite::Connection& connection, const CallContext& context,
             const std::stop_token& stop, absl::Time asked, absl::Time begun, Function& function);

  // Until `committed` has come to the revision.
  Task<absl::Status> AwaitRevision(CallContext context, Broadcast& committed);

  void Measure(absl::Duration read);
  absl::Status QueueFull() const;

  const std::unique_ptr<sqlite::ConnectionPool> connections_;
  PointSnapshots snapshots_{*connections_};
  const ReaderOptions options_;
  std::atomic<int64_t> average_read_ns_{0};
  std::atomic<size_t> revision_waits_{0};
  std::unique_ptr<ThreadPool> threads_;  // null: none. Ends first.
};

template <class Function, class Result>
Task<Result> Reader::Read(CallContext context, Broadcast& committed, Function function) {
  const std::stop_token& stop = co_await CurrentStopToken();
  const absl::Time asked = absl::Now();
  if (committed.value() < context.min_revision) {
    absl::Status reached = co_await AwaitRevision(context, committed);
    if (!reached.ok()) co_return reached;
  }
  if (threads_ == nullptr) co_return ReadHere<Result>(context, stop, asked, function);
  auto read = [&] { return ReadHere<Result>(context, stop, asked, function); };
  std::optional<Result> result = co_await Offload(*threads_, read);
  if (!result.has_value()) co_return QueueFull();
  co_return *std::move(result);
}

template <class Function, class Result>
Task<Result> Reader::ReadPoint(CallContext context, Broadcast& committed, Function function) {
  const int64_t revision = committed.value();
  const bool runs_here = threads_ == nullptr && revision >= context.min_revision;
  sqlite::Connection* const connection = runs_here ? snapshots_.Take(revision) : nullptr;
  if (connection == nullptr) co_return co_await Read(context, committed, std::move(function));
  const std::stop_token& stop = co_await CurrentStopToken();
  const absl::Time now = absl::Now();
  if (absl::Status status = CheckNotEnded(context, stop, now); !status.ok()) co_return status;
  co_return Run<Result>(*connection, context, stop, now, now, function);
}

template <class Result, class Function>
Result Reader::ReadHere(const CallContext& context, const std::stop_token& stop, absl::Time asked,
                        Function& function) {
  const LogGate::Scan scan(options_.log_gate);
  const absl::Time begun = absl::Now();
  if (absl::Status status = CheckNotEnded(context, stop, begun); !status.ok()) return status;
  // Holds the connection that this loop would wait for.
  if (threads_ == nullptr) snapshots_.LetGo();
  const sqlite::ConnectionPool::Lease lease = connections_->Acquire();
  return Run<Result>(*lease, context, stop, asked, begun, function);
}

template <class Result, class Function>
Result Reader::Run(sqlite::Connection& connection, const CallContext& context,
                   const std::stop_token& stop, absl::Time asked, absl::Time begun,
                   Function& function) {
  if (context.timing == nullptr && threads_ == nullptr) {
    return function(connection, sqlite::QueryLimits(context.deadline, &stop));
  }
  absl::Duration* const sql_time = context.timing == nullptr ? nullptr : &context.timing->sql;
  if (context.timing != nullptr) context.timing->queue_wait = begun - asked;
  Result result = function(connection, sqlite::QueryLimits(context.deadline, &stop, sql_time));
  Measure(absl::Now() - begun);
  return result;
}

}  // namespace userservice::store
