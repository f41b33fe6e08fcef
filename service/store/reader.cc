#include "service/store/reader.h"

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "service/errors/errors.h"
#include "service/store/drain_rate.h"
#include "service/store/storage_error.h"

namespace userservice::store {
namespace {

constexpr absl::Duration kRevisionRetryAfter = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<Reader>> Reader::Open(const std::string& path,
                                                     const ReaderOptions& options) {
  sqlite::ConnectionOptions connection(path, sqlite::OpenMode::kReadOnly);
  connection.yields = options.niceness > 0;
  connection.cache_kib = options.cache_kib;
  absl::StatusOr<std::unique_ptr<sqlite::ConnectionPool>> connections =
      sqlite::ConnectionPool::Open(connection,
                                   std::max({options.connections, options.threads, size_t{1}}));
  if (!connections.ok()) return StorageError(connections.status());
  return std::unique_ptr<Reader>(new Reader(*std::move(connections), options));
}

Reader::Reader(std::unique_ptr<sqlite::ConnectionPool> connections, const ReaderOptions& options)
    : connections_(std::move(connections)), options_(options) {
  if (options.threads > 0) {
    threads_ = std::make_unique<ThreadPool>(options.thread_name, options.threads,
                                            options.queue_jobs_max, options.niceness);
  }
}

Task<absl::Status> Reader::AwaitRevision(CallContext context, Broadcast& committed) {
  const std::stop_token& stop = co_await CurrentStopToken();
  const absl::Cleanup leave = [this] { revision_waits_.fetch_sub(1, std::memory_order_relaxed); };
  const size_t waiting = revision_waits_.fetch_add(1, std::memory_order_relaxed);
  if (waiting >= options_.revision_waits_max)
    co_return errors::Overloaded("too many reads wait for a revision", kRevisionRetryAfter);
  const bool reached = co_await committed.WaitFor(context.min_revision);
  if (reached) co_return absl::OkStatus();
  co_return CheckNotEnded(context, stop, absl::Now());
}

// A moving average; two threads that write it at once lose one measurement, no more.
void Reader::Measure(absl::Duration read) {
  const int64_t average = average_read_ns_.load(std::memory_order_relaxed);
  average_read_ns_.store(average + (absl::ToInt64Nanoseconds(read) - average) / 4,
                         std::memory_order_relaxed);
}

absl::Status Reader::QueueFull() const {
  const absl::Duration read = absl::Nanoseconds(average_read_ns_.load(std::memory_order_relaxed));
  const absl::Duration drain =
      read * (static_cast<double>(options_.queue_jobs_max) / static_cast<double>(options_.threads));
  return errors::Overloaded("the queue of reads is full", RetryAfter(drain));
}

}  // namespace userservice::store
