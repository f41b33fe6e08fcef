// userctl bench: a load on the server, measured.
#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/bench/bench_report.h"
#include "client/cli/bench/load.h"
#include "client/cli/bench/mix.h"
#include "client/cli/bench/workload.h"
#include "client/cli/command.h"

namespace userservice::cli {
namespace {

constexpr int kOpenLoopConcurrency = 4096;
constexpr int kCountMax = 100'000;

constexpr char kBenchFooter[] =
    R"(Operations of a mix, each with its weight (get=80,list=15,create=5; without one it is 1):
  get, lookup   one user out of all, at random
  batch_get     --batch-size users at random
  list          one of the pages --pages of --page-size users, with --filter
  count         with --filter
  create        a user with an e-mail that is new; stays in the table
  update        the name of a user out of all
  export        the whole stream of the users that match --filter
  import        a stream of --import-users new users

A closed loop keeps --concurrency calls in flight. With --rate it is an open loop: calls are due at
that rate whatever becomes of those before, and latency counts from when a call was due, so that a
stall of the server is not hidden. It polls for calls that are due within 2 ms, and at most rates
keeps a processor busy with that.

Exit status 1, too, if a call failed or was answered wrongly.

Examples:
  userctl bench
  userctl bench --mix get=80,list=15,create=5 --concurrency 256 --duration 30s
  userctl --output json bench --rate 5000 --duration 1m
  userctl bench --mix export --calls 3 --concurrency 1 --warmup 0s)";

struct BenchArguments {
  BenchArguments() = default;

  std::string mix = "get";
  std::string pages = "1-100";
  int concurrency = 0;  // 0: by the kind of loop
  double rate_per_s = 0;
  int64_t calls = 0;
  int server_pid = 0;
  absl::Duration warmup = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(10);
  int channels = 1;
  int threads = 1;
  int watchers = 0;
  WorkloadOptions workload;
};

// "100" or "1-100".
absl::Status ParsePages(const std::string& text, WorkloadOptions& workload) {
  const std::pair<std::string, std::string> pages = absl::StrSplit(text, absl::MaxSplits('-', 1));
  const std::string& last = text.size() > pages.first.size() ? pages.second : pages.first;
  const bool are_pages = absl::SimpleAtoi(pages.first, &workload.first_page) &&
                         absl::SimpleAtoi(last, &workload.last_page) && workload.first_page >= 1 &&
                         workload.last_page >= workload.first_page;
  if (are_pages) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no page or range of pages"));
}

absl::StatusOr<LoadOptions> LoadOptionsFrom(const BenchArguments& arguments,
                                            const Globals& globals) {
  absl::StatusOr<Mix> mix = Mix::Parse(arguments.mix);
  if (!mix.ok()) return mix.status();
  LoadOptions options(*mix);
  const bool is_open = arguments.rate_per_s > 0;
  if (is_open) options.rate_per_s = arguments.rate_per_s;
  options.concurrency = arguments.concurrency > 0 ? arguments.concurrency
                        : is_open                 ? kOpenLoopConcurrency
                                                  : options.concurrency;
  options.channels = std::max(arguments.channels, arguments.threads);
  options.threads = arguments.threads;
  options.watchers = arguments.watchers;
  options.warmup = arguments.warmup;
  options.duration = arguments.duration;
  if (arguments.calls > 0) options.calls = arguments.calls;
  options.timeout = globals.timeout.value_or(kTimeout);
  options.stream_timeout = globals.timeout;
  if (arguments.server_pid > 0) options.server_pid = arguments.server_pid;
  if (options.concurrency < options.threads)
    return absl::InvalidArgumentError("each thread needs a call: --concurrency is below --threads");
  return options;
}

int RunBench(BenchArguments arguments, const Globals& globals, const std::stop_token& stop) {
  const absl::StatusOr<LoadOptions> options = LoadOptionsFrom(arguments, globals);
  absl::Status usage = options.status();
  if (usage.ok()) usage = ParsePages(arguments.pages, arguments.workload);
  if (!usage.ok()) return ConcludeUnusable("bench", usage);
  const auto channels = ConnectChannels(globals.server, options->channels);
  if (!channels.ok()) return Conclude(globals, stop, channels.status());
  const auto stub = users::v1::UserService::NewStub(channels->front());
  const absl::StatusOr<Workload> workload =
      PrepareWorkload(*stub, options->mix, arguments.workload, options->timeout);
  if (!workload.ok()) return Conclude(globals, stop, workload.status());
  const absl::StatusOr<LoadResult> result = RunLoad(*channels, *options, *workload, stop);
  if (result.ok()) PrintBenchReport(std::cout, globals.output, globals.server, *options, *result);
  const int exit = Conclude(globals, stop, result.status());
  return exit == kExitOk && FailuresIn(*result) > 0 ? kExitError : exit;
}

void AddLoadOptions(CLI::App& command, BenchArguments& arguments) {
  command.add_option("--mix", arguments.mix, "What to call, and how often each; see below")
      ->type_name("OPERATION[=WEIGHT],...")
      ->capture_default_str();
  command
      .add_option("--concurrency", arguments.concurrency,
                  "Calls in flight; in an open loop the most of them")
      ->check(Decimal())
      ->check(CLI::Range(1, kCountMax))
      ->default_str("64; 4096 in an open loop");
  command.add_option("--rate", arguments.rate_per_s, "Calls a second: an open loop")
      ->check(CLI::Range(0.001, 1e7));
  command.add_option("--channels", arguments.channels, "Connections; at least one a thread")
      ->check(Decimal())
      ->check(CLI::Range(1, kCountMax))
      ->capture_default_str();
  command.add_option("--threads", arguments.threads, "Threads, with a completion queue each")
      ->check(Decimal())
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--watchers", arguments.watchers, "Change feeds to read beside the load")
      ->check(Decimal())
      ->check(CLI::Range(0, kCountMax))
      ->capture_default_str();
  command
      .add_option("--server-pid", arguments.server_pid,
                  "The server's process on this machine: its processor time a call is told")
      ->check(Decimal());
}

void AddWorkloadOptions(CLI::App& command, const std::shared_ptr<BenchArguments>& arguments) {
  WorkloadOptions& workload = arguments->workload;
  command
      .add_option("--users", workload.users,
                  "Calls name users 1 to N; if not given, those there are")
      ->check(Decimal());
  command.add_option("--batch-size", workload.batch_size, "Users of a batch_get")
      ->check(Decimal())
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--page-size", workload.page_size, "Users of a list")
      ->check(Decimal())
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--pages", arguments->pages, "The pages that a list is one of")
      ->type_name("N or N-M")
      ->capture_default_str();
  command.add_option("--filter", workload.filter,
                     "Of list, count, export and the watchers (AIP-160)");
  command.add_option("--import-users", workload.import_users, "Users of an import")
      ->check(Decimal())
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
}

}  // namespace

void AddBenchCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("bench", "Puts a load on the server, and measures rates and latencies");
  const auto arguments = std::make_shared<BenchArguments>();
  AddLoadOptions(*command, *arguments);
  AddDuration(
      *command, "--warmup", [arguments](absl::Duration time) { arguments->warmup = time; },
      "What is not measured yet")
      ->default_str("1s");
  AddDuration(
      *command, "--duration", [arguments](absl::Duration time) { arguments->duration = time; },
      "How long to measure")
      ->default_str("10s");
  command
      ->add_option("--calls", arguments->calls, "How many calls to measure, however long it takes")
      ->check(Decimal())
      ->excludes("--duration");
  AddWorkloadOptions(*command, arguments);
  command->footer(kBenchFooter);
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunBench(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
