// userd: the server. See --help, and app.h for how it starts and stops.
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "service/app.h"
#include "service/config.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace {

// Blocks the signals that stop the server, in this thread and all that it starts, so that they can
// be waited for.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Waits for the signals that stop the server, on a thread of its own, from before it starts: one
// that comes before it serves, and the second one, end the process at once. What was acknowledged
// is durable, so that there is nothing to lose by it.
class StopSignals {
 public:
  explicit StopSignals(sigset_t signals) {
    std::thread([this, signals] {
      int signal = 0;
      sigwait(&signals, &signal);
      if (!serves_.load()) ExitAtOnce(signal, "stopped before it served\n");
      first_.store(signal);
      first_.notify_one();
      sigwait(&signals, &signal);
      ExitAtOnce(signal, "stopped at once by a second signal\n");
    }).detach();
  }

  // From here on the first signal drains. Before the server says that it listens: who has read that
  // may send one at once.
  void ServerServes() { serves_.store(true); }

  // Gives that signal.
  int Wait() {
    first_.wait(0);
    return first_.load();
  }

 private:
  [[noreturn]] static void ExitAtOnce(int signal, const char* message) {
    std::fputs(message, stderr);
    std::_Exit(128 + signal);
  }

  std::atomic<bool> serves_{false};
  std::atomic<int> first_{0};
};

// What a burst of calls gives back is what the next one needs; given to the kernel in between, as
// malloc would, it costs page faults, up to one a call. Setting either of the two ends malloc's own
// adapting of the other: large answers are not to be mapped anew each time.
void KeepMemoryOfBursts() {
  constexpr int kFreeBytesKept = 4 << 20;  // of each arena
  constexpr int kMappedBytesMin = 1 << 20;
  mallopt(M_TRIM_THRESHOLD, kFreeBytesKept);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
}

// Each connection is an open file. Shells and systemd let a process have 1,024, more if it asks.
void RaiseOpenFilesLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // where it may not, connections wait: see listener.h
}

// "127.0.0.1:0" and 50051 -> "127.0.0.1:50051".
std::string AddressWithPort(const std::string& listen_address, int port) {
  const size_t colon = listen_address.rfind(':');
  const std::string host =
      colon == std::string::npos ? listen_address : listen_address.substr(0, colon);
  return host + ":" + std::to_string(port);
}

}  // namespace

int main(int argc, char** argv) try {
#ifdef NDEBUG
  // Debian builds abseil with deadlock detection on, which every lock of gRPC pays for.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  KeepMemoryOfBursts();
  RaiseOpenFilesLimit();
  const std::variant<userservice::Config, int> parsed = userservice::ParseCommandLine(argc, argv);
  if (const int* const exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& config = std::get<userservice::Config>(parsed);

  std::signal(SIGPIPE, SIG_IGN);
  // Never freed: its thread may still wait while the process exits.
  auto& stop_signals = *new StopSignals(BlockStopSignals());
  spdlog::set_default_logger(spdlog::stderr_logger_mt("userd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(config.log_level));

  absl::StatusOr<std::unique_ptr<userservice::App>> app = userservice::App::Start(config);
  if (!app.ok()) {
    std::cerr << "userd: " << app.status().message() << "\n";
    return EXIT_FAILURE;
  }
  stop_signals.ServerServes();
  std::cout << "listening on " << AddressWithPort(config.server.listen_address, (*app)->port())
            << std::endl;

  const int signal = stop_signals.Wait();
  spdlog::info("{}: draining for up to {} ms", signal == SIGINT ? "SIGINT" : "SIGTERM",
               config.drain_ms);
  (*app)->Stop();
  spdlog::info("stopped");
  return EXIT_SUCCESS;
} catch (const std::exception& error) {  // no memory, no threads: what no status tells
  std::fprintf(stderr, "userd: %s\n", error.what());
  return EXIT_FAILURE;
}
