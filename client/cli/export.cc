// userctl export.
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>

#include "async/block_on.h"
#include "client/cli/command.h"

namespace userservice::cli {
namespace {

using users::v1::ExportUsersRequest;

// Attempts after one another that bring nothing before the export is given up: about 6 s.
constexpr int kAttemptsInVainMax = 6;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);

// The request holds the token of the last chunk that was written: the next attempt goes on from
// there.
Task<absl::Status> ExportOnce(UserClient& client, ExportUsersRequest& request, UserRows& rows) {
  ExportStream chunks = client.ExportUsers(request);
  for (;;) {
    const auto chunk = co_await chunks.Next();
    if (!chunk.ok()) co_return chunk.status();
    if (!chunk->has_value()) break;
    for (const users::v1::User& user : (*chunk)->users()) rows.Add(user);
    rows.Flush();
    request.set_resume_token((*chunk)->resume_token());
    // Nobody reads any more, or the disk is full: Conclude tells which.
    if (!std::cout.good()) break;
  }
  rows.Flush();
  co_return absl::OkStatus();
}

// False if it was stopped before that.
bool Pause(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
  return !stop.stop_requested();
}

absl::Status Export(UserClient& client, ExportUsersRequest& request, UserRows& rows,
                    const std::stop_token& stop) {
  const std::string beginning = request.resume_token();
  for (int in_vain = 0;;) {
    const std::string before = request.resume_token();
    absl::Status status = BlockOn(ExportOnce(client, request, rows), stop);
    // A chunk without users is progress too: so far nobody matched.
    in_vain = request.resume_token() != before ? 0 : in_vain + 1;
    // With nothing done yet there is nothing to lose by giving up: the server is not there.
    const bool give_up = in_vain == kAttemptsInVainMax || request.resume_token() == beginning;
    if (status.code() != absl::StatusCode::kUnavailable || give_up) return status;
    if (in_vain == 0)
      std::cerr << "userctl: broken off after " << UserCount(rows.count()) << ", going on\n";
    if (!Pause(kFirstPause * (1 << in_vain), stop)) return status;
  }
}

int RunExport(ExportUsersRequest request, const Globals& globals, const std::stop_token& stop) {
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  UserRows rows(std::cout, globals.output);
  const absl::Status status = Export(*client, request, rows, stop);
  const int exit = Conclude(globals, stop, status);
  if (!std::cout.good()) return exit;
  if (exit == kExitOk || rows.count() > 0) {
    std::cerr << UserCount(rows.count()) << (exit == kExitOk ? "\n" : " before that\n");
  }
  if (exit != kExitOk && !request.resume_token().empty()) {
    std::cerr << "to go on, add --resume-token=" << request.resume_token() << '\n';
  }
  return exit;
}

}  // namespace

void AddExportCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "export", "Streams every matching user, by number; with --output=json a line each");
  const auto request = std::make_shared<ExportUsersRequest>();
  command->add_option_function<std::string>(
      "--filter", [request](const std::string& filter) { request->set_filter(filter); },
      "Which users (AIP-160); all if not given");
  command
      ->add_option_function<std::string>(
          "--resume-token",
          [request](const std::string& token) { request->set_resume_token(token); },
          "Go on where a broken export ended")
      ->type_name("TOKEN");
  command->footer("Example:\n  userctl export --output csv > users.csv");
  command->callback([&chosen, request] {
    chosen = [request](const Globals& globals, const std::stop_token& stop) {
      return RunExport(*request, globals, stop);
    };
  });
}

}  // namespace userservice::cli
