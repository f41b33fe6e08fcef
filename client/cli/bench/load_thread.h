// LoadThread: a completion queue with its share of a load.
//
//   LoadThread thread(options, workload, channels, share, phases);
//   thread.Run(stop);                       // on a thread of its own
//   thread.AddTo(result);                   // once that has ended
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "client/cli/bench/arrivals.h"
#include "client/cli/bench/bench_call.h"
#include "client/cli/bench/load.h"
#include "client/cli/bench/random.h"
#include "grpcpp/completion_queue.h"

namespace userservice::cli {

// When a load begins, when its measuring does, and when it ends, as MonotonicNs tells time.
struct LoadPhases {
  int64_t start_ns;
  int64_t measure_ns;
  int64_t end_ns;
};

class LoadThread {
 public:
  LoadThread(const LoadOptions& options, const Workload& workload,
             const std::vector<std::shared_ptr<grpc::Channel>>& channels, int index,
             const LoadPhases& phases);

  void Run(const std::stop_token& stop);
  void AddTo(LoadResult& result) const;

  // When the last measured call ended; 0 if there was none.
  int64_t last_end_ns() const { return last_end_ns_; }

 private:
  void StartWatchers();
  void StartDue(int64_t now_ns);
  void StartCall(int64_t due_ns);
  bool MayStart(int64_t due_ns) const;
  void Handle(const BenchCall::Tag& tag, bool ok);
  void Record(const BenchCall& call, int64_t now_ns);
  void CancelAll();
  int64_t WaitUntilNs(int64_t now_ns) const;
  bool IsMeasured(int64_t due_ns) const;
  CallTarget NextTarget(int64_t now_ns, bool is_stream);

  const LoadOptions& options_;
  const Workload& workload_;
  const LoadPhases phases_;
  const int concurrency_;
  grpc::CompletionQueue queue_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<users::v1::UserService::Stub>> stubs_;  // of each
  size_t next_stub_ = 0;
  Random random_;
  uint64_t emails_;
  std::optional<Arrivals> arrivals_;   // of an open loop
  std::optional<int64_t> calls_left_;  // that are to be measured
  std::vector<std::unique_ptr<BenchCall>> calls_;
  std::array<std::vector<BenchCall*>, kBenchOperations> idle_;
  std::vector<std::unique_ptr<WatchCall>> watchers_;
  int in_flight_ = 0;
  int watching_ = 0;
  bool stopping_ = false;  // nothing begins any more

  std::array<OperationResult, kBenchOperations> results_;
  ErrorCounts watch_errors_;
  int64_t last_end_ns_ = 0;
  int64_t unsent_ = 0;
};

}  // namespace userservice::cli
