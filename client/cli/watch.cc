// userctl watch.
#include <iostream>
#include <limits>
#include <memory>
#include <optional>

#include "async/block_on.h"
#include "client/cli/change_rows.h"
#include "client/cli/command.h"

namespace userservice::cli {
namespace {

using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

struct WatchArguments {
  WatchUsersRequest request;
  int64_t count = 0;  // changes after which it ends; 0: it goes on
  bool until_synced = false;
};

// How far the watch has come. Outlives it, since the call that it drops ends a little later.
struct WatchProgress {
  std::optional<int64_t> revision;
  bool synced = false;
};

void TellOfBreak(const WatchProgress& progress, const CallRecord& call) {
  if (call.status.code() != absl::StatusCode::kUnavailable || !progress.revision.has_value())
    return;
  std::cerr << "userctl: broken off after revision " << *progress.revision << ", going on\n";
}

void Note(const WatchUsersResponse& message, WatchProgress& progress) {
  if (message.synced() && !progress.synced)
    std::cerr << "userctl: in sync at revision " << message.revision() << '\n';
  progress.synced = message.synced();
  progress.revision = message.revision();
}

Task<absl::Status> Watch(UserClient& client, const WatchArguments& arguments,
                         const CallOptions& options, ChangeRows& rows, WatchProgress& progress) {
  WatchStream changes = client.WatchUsers(arguments.request, options);
  rows.Flush();
  while (std::cout.good()) {
    const absl::StatusOr<WatchUsersResponse> message = co_await changes.Next();
    if (!message.ok()) co_return message.status();
    for (const WatchUsersResponse::Change& change : message->changes()) {
      rows.Add(change);
      if (rows.count() == arguments.count) break;
    }
    rows.Flush();
    Note(*message, progress);
    if (rows.count() == arguments.count && arguments.count > 0) break;
    if (arguments.until_synced && progress.synced) break;
  }
  co_return absl::OkStatus();
}

int RunWatch(const WatchArguments& arguments, const Globals& globals, const std::stop_token& stop) {
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  ChangeRows rows(std::cout, globals.output);
  const auto progress = std::make_shared<WatchProgress>();
  CallOptions options;
  options.deadline = globals.timeout;
  options.observer = [progress](const CallRecord& call) { TellOfBreak(*progress, call); };
  const absl::Status status = BlockOn(Watch(*client, arguments, options, rows, *progress), stop);
  // An interrupt is how a watch ends.
  const bool is_interrupted = stop.stop_requested();
  const int exit = is_interrupted ? kExitOk : Conclude(globals, stop, status);
  const bool may_go_on = is_interrupted || !status.ok();
  if (may_go_on && progress->revision.has_value())
    std::cerr << "to go on, add --after=" << *progress->revision << '\n';
  return exit;
}

}  // namespace

void AddWatchCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "watch", "Shows changes as they come, a line each, until it is interrupted");
  const auto arguments = std::make_shared<WatchArguments>();
  command
      ->add_option_function<int64_t>(
          "--after",
          [arguments](int64_t revision) { arguments->request.set_after_revision(revision); },
          "Of what follows this revision; 0: every user there is, then what follows; not given: "
          "from now on")
      ->check(Decimal())
      ->type_name("REVISION");
  command->add_option_function<std::string>(
      "--filter", [arguments](const std::string& filter) { arguments->request.set_filter(filter); },
      "Which users (AIP-160); others who change are shown as removed");
  command->add_option("--count", arguments->count, "End after so many changes")
      ->check(Decimal())
      ->check(CLI::Range(int64_t{1}, std::numeric_limits<int64_t>::max()).description(""))
      ->type_name("N");
  command->add_flag("--until-synced", arguments->until_synced,
                    "End when all that is known has been shown");
  command->footer(
      "A connection that breaks is made again, and the watch goes on where it was.\n"
      "Example:\n  userctl watch --after 0 --filter 'age > 25' --until-synced");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunWatch(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
