// userctl gather: the same independent RPCs one after another and gathered, compared.
#include "async/gather.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "async/block_on.h"
#include "client/cli/command.h"
#include "client/cli/gather/plan.h"
#include "client/cli/gather/relay.h"
#include "client/cli/gather/report.h"
#include "client/cli/gather/runs.h"
#include "client/cli/gather/summary.h"
#include "client/cli/gather/trace.h"
#include "client/cli/terminal.h"

namespace userservice::cli {
namespace {

constexpr size_t kReads = 100;

struct GatherArguments {
  absl::Duration round_trip;
  std::string trace_file;
};

// `count` ids spread over the users of a page.
std::vector<int64_t> SpreadIds(const users::v1::ListUsersResponse& page, size_t count) {
  std::vector<int64_t> ids;
  const size_t users = static_cast<size_t>(page.users_size());
  for (size_t i = 0; i < count && users > 0; ++i) {
    const size_t at = users > count ? i * users / count : i % users;
    ids.push_back(page.users(static_cast<int>(at)).user_id());
  }
  return ids;
}

// Fills in what the runs bring. Neither run pays for the connection, nor for what the server reads
// from disk the first time: the plan is gathered once before, and not measured.
Task<absl::Status> Measure(UserClient& client, GatherReport& report) {
  users::v1::ListUsersRequest list;
  list.set_page_size(kPageSize);
  const users::v1::CountUsersRequest count;
  const auto both = co_await Gather(client.ListUsers(list), client.CountUsers(count));
  if (!both.ok()) co_return both.status();
  const auto& [page, users] = *both;
  report.users = users.count();
  report.plan = MakePlan(SpreadIds(page, kReads));

  const auto warm_up = co_await RunGathered(client, report.plan);
  if (!warm_up.ok()) co_return warm_up.status();
  auto sequential = co_await RunOneAfterAnother(client, report.plan);
  if (!sequential.ok()) co_return sequential.status();
  auto gathered = co_await RunGathered(client, report.plan);
  if (!gathered.ok()) co_return gathered.status();
  report.sequential = *std::move(sequential);
  report.gathered = *std::move(gathered);
  report.summary = Summarize(report.plan, report.sequential, report.gathered);
  co_return absl::OkStatus();
}

void Print(const GatherReport& report, OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable: {
      ReportStyle style;
      style.width = TerminalWidth();
      style.unicode = ShowsUnicode();
      style.colours = ShowsColours(STDOUT_FILENO);
      return PrintReport(std::cout, report, style);
    }
    case OutputFormat::kJson:
      return PrintReportJson(std::cout, report);
    case OutputFormat::kCsv:
      return PrintReportCsv(std::cout, report);
  }
}

// False if the file can not be written, which is then said.
bool WriteTraceFile(const std::string& path, const GatherReport& report) {
  std::ofstream file(path);
  WriteTrace(file, report.plan, report.sequential, report.gathered);
  file.close();
  if (!file.fail()) {
    std::cerr << "The trace is in " << path << ": open it in https://ui.perfetto.dev\n";
    return true;
  }
  std::cerr << "userctl: can not write " << path << ": " << std::strerror(errno) << '\n';
  return false;
}

int RunGather(const GatherArguments& arguments, const Globals& globals,
              const std::stop_token& stop) {
  std::unique_ptr<Relay> relay;
  std::string address = globals.server;
  if (arguments.round_trip > absl::ZeroDuration()) {
    auto started = Relay::Start(globals.server, arguments.round_trip);
    if (!started.ok()) return Conclude(globals, stop, started.status());
    relay = *std::move(started);
    address = relay->address();
  }
  GatherReport report;
  report.server = globals.server;
  report.round_trip = arguments.round_trip;
  const auto client = UserClient::Connect(address, ClientOptionsFrom(globals));
  const absl::Status status = BlockOn(Measure(*client, report), stop);
  if (status.ok()) Print(report, globals.output);
  const int exit = Conclude(globals, stop, status);
  if (exit != kExitOk) return exit;
  if (!arguments.trace_file.empty() && !WriteTraceFile(arguments.trace_file, report))
    return kExitError;
  if (report.summary.differences.empty()) return kExitOk;
  std::cerr << "userctl: the two runs were answered differently: "
            << absl::StrJoin(report.summary.differences, ", ")
            << ". Does another client write meanwhile?\n";
  return kExitError;
}

}  // namespace

void AddGatherCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "gather", "Makes independent RPCs one after another and gathered, and compares the two");
  const auto arguments = std::make_shared<GatherArguments>();
  AddDuration(
      *command, "--rtt", [arguments](absl::Duration rtt) { arguments->round_trip = rtt; },
      "Adds so much to each round trip, by a relay in this program: loopback has no distance");
  command
      ->add_option("--trace", arguments->trace_file,
                   "Writes both runs to FILE as Chrome trace events, for https://ui.perfetto.dev")
      ->type_name("FILE");
  command->footer(
      "Exit status 1, too, if the two runs are answered differently.\n\nExamples:\n  userctl "
      "gather\n  userctl gather --rtt=20ms --trace gather.json");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunGather(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
