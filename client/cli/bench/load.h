// A load on a server: calls from a mix, at once (closed loop) or at a rate (open loop), measured.
//
// Closed loop: `concurrency` calls are in flight all the time; the next one begins when one ends.
// Open loop: calls are due at a constant rate, and latency counts from when a call was due, so that
//   a stall of the server is not hidden by the calls that were not made meanwhile. Never more than
//   `concurrency` are in flight; what is due beyond is sent as soon as one ends.
// Measured are the calls that begin, or are due, between the end of the warm-up and the end of the
//   load; they are waited for. With `calls` so many are measured, with `duration` those that fit.
// Threads: each of `threads` has a completion queue of its own and a share of the channels, of the
//   calls in flight and of the rate; no call moves between them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/bench/histogram.h"
#include "client/cli/bench/mix.h"
#include "client/cli/bench/workload.h"
#include "grpcpp/channel.h"

namespace userservice::cli {

struct LoadOptions {
  explicit LoadOptions(const Mix& load_mix) : mix(load_mix) {}

  Mix mix;
  std::optional<double> rate_per_s;  // nothing: a closed loop
  int concurrency = 64;
  int channels = 1;
  int threads = 1;
  int watchers = 0;  // change feeds that are read beside the load
  absl::Duration warmup = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(10);
  std::optional<int64_t> calls;  // instead of the duration
  absl::Duration timeout = absl::Seconds(10);
  std::optional<absl::Duration> stream_timeout;
  std::optional<int> server_pid;  // whose processor time to take, on this machine
};

// Errors by what went wrong, "ALREADY_EXISTS / EMAIL_TAKEN", with how often.
using ErrorCounts = std::map<std::string, int64_t>;

struct OperationResult {
  LatencyHistogram latency;  // of all calls, failed ones too
  int64_t failed = 0;
  int64_t rows = 0;  // users read or written
  ErrorCounts errors;

  int64_t calls() const { return latency.count(); }
  void Add(const OperationResult& other);
};

struct LoadResult {
  std::array<OperationResult, kBenchOperations> operations;
  OperationResult all;
  int64_t unsent = 0;  // due before the end of the load, and not sent by then
  absl::Duration elapsed;
  absl::Duration load_cpu;                   // of this process, in that time
  std::optional<absl::Duration> server_cpu;  // of the server's

  int64_t watch_messages = 0;
  int64_t watch_changes = 0;
  ErrorCounts watch_errors;
};

// Channels with a connection each; UNAVAILABLE if one can not connect.
absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> ConnectChannels(
    const std::string& server, int count);

// Runs the load to its end, or until it is asked to stop; what was measured until then is the
// result. INVALID_ARGUMENT if the server's process can not be looked at.
absl::StatusOr<LoadResult> RunLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                   const LoadOptions& options, const Workload& workload,
                                   const std::stop_token& stop);

}  // namespace userservice::cli
