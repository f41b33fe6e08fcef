#include "client/cli/bench/load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <limits>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/bench/load_thread.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace userservice::cli {
namespace {

// A process' processor time, of all its threads, to the nanosecond.
absl::StatusOr<clockid_t> CpuClockOf(int pid) {
  clockid_t clock = 0;
  if (clock_getcpuclockid(pid, &clock) == 0) return clock;
  return absl::InvalidArgumentError(absl::StrCat("there is no process ", pid, " here"));
}

absl::Duration CpuTime(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return absl::DurationFromTimespec(time);
}

// Takes processor times when the measuring begins and when it ends.
class CpuTimes {
 public:
  explicit CpuTimes(std::optional<clockid_t> server) : server_(server) {}

  void Begin() {
    load_ -= CpuTime(CLOCK_PROCESS_CPUTIME_ID);
    if (server_.has_value()) server_time_ -= CpuTime(*server_);
  }
  void End(LoadResult& result) {
    result.load_cpu = load_ + CpuTime(CLOCK_PROCESS_CPUTIME_ID);
    if (server_.has_value()) result.server_cpu = server_time_ + CpuTime(*server_);
  }

 private:
  const std::optional<clockid_t> server_;
  absl::Duration load_;
  absl::Duration server_time_;
};

// Sleeps until then, or until the load is over, or is asked to stop.
class Sleeper {
 public:
  void Until(int64_t monotonic_ns, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, std::chrono::nanoseconds(monotonic_ns - MonotonicNs()),
                    [this] { return load_is_over_; });
  }
  void LoadIsOver() {
    const std::lock_guard lock(mutex_);
    load_is_over_ = true;
    woken_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool load_is_over_ = false;
};

LoadPhases PhasesOf(const LoadOptions& options) {
  LoadPhases phases = {};
  phases.start_ns = MonotonicNs();
  phases.measure_ns = phases.start_ns + absl::ToInt64Nanoseconds(options.warmup);
  phases.end_ns = options.calls.has_value()
                      ? std::numeric_limits<int64_t>::max()
                      : phases.measure_ns + absl::ToInt64Nanoseconds(options.duration);
  return phases;
}

// At once where nobody listens, and otherwise in `kConnectMax`.
bool Connects(grpc::Channel& channel) {
  constexpr absl::Duration kConnectMax = absl::Seconds(10);
  const gpr_timespec deadline = ToTimespec(MonotonicNs() + absl::ToInt64Nanoseconds(kConnectMax));
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !channel.WaitForStateChange(state, deadline))
      return false;
  }
}

absl::Duration ElapsedIn(const std::vector<std::unique_ptr<LoadThread>>& threads,
                         const LoadOptions& options, const LoadPhases& phases, bool stopped) {
  if (!options.calls.has_value() && !stopped) return options.duration;
  int64_t last_end_ns = phases.measure_ns;
  for (const std::unique_ptr<LoadThread>& thread : threads)
    last_end_ns = std::max(last_end_ns, thread->last_end_ns());
  return absl::Nanoseconds(last_end_ns - phases.measure_ns);
}

}  // namespace

void OperationResult::Add(const OperationResult& other) {
  latency.Add(other.latency);
  failed += other.failed;
  rows += other.rows;
  for (const auto& [error, count] : other.errors) errors[error] += count;
}

absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> ConnectChannels(
    const std::string& server, int count) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // or they would share one connection
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);             // what is refused shall be seen
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetUserAgentPrefix("userctl/1.0");
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) {
    channels.push_back(
        grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments));
    if (!Connects(*channels.back()))
      return absl::UnavailableError("failed to connect to all addresses");
  }
  return channels;
}

absl::StatusOr<LoadResult> RunLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                   const LoadOptions& options, const Workload& workload,
                                   const std::stop_token& stop) {
  std::optional<clockid_t> server_clock;
  if (options.server_pid.has_value()) {
    const absl::StatusOr<clockid_t> clock = CpuClockOf(*options.server_pid);
    if (!clock.ok()) return clock.status();
    server_clock = *clock;
  }
  CpuTimes cpu(server_clock);
  Sleeper sleeper;
  const LoadPhases phases = PhasesOf(options);
  std::vector<std::unique_ptr<LoadThread>> threads;
  for (int i = 0; i < options.threads; ++i) {
    threads.push_back(std::make_unique<LoadThread>(options, workload, channels, i, phases));
  }
  std::vector<std::thread> running;
  std::atomic<int> left = options.threads;
  for (const std::unique_ptr<LoadThread>& thread : threads) {
    running.emplace_back([&sleeper, &left, &stop, thread = thread.get()] {
      thread->Run(stop);
      if (--left == 0) sleeper.LoadIsOver();
    });
  }
  LoadResult result;
  sleeper.Until(phases.measure_ns, stop);
  cpu.Begin();
  if (options.calls.has_value()) {
    for (std::thread& thread : running) thread.join();
    cpu.End(result);
  } else {
    sleeper.Until(phases.end_ns, stop);
    cpu.End(result);
    for (std::thread& thread : running) thread.join();
  }
  for (const std::unique_ptr<LoadThread>& thread : threads) thread->AddTo(result);
  result.elapsed = ElapsedIn(threads, options, phases, stop.stop_requested());
  return result;
}

}  // namespace userservice::cli
