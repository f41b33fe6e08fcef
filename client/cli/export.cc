// userctl export.
#include <iostream>
#include <memory>

#include "client/cli/command.h"

namespace userservice::cli {
namespace {

using users::v1::ExportUsersRequest;

// On an error, `request` holds the token to go on from.
Task<absl::Status> Export(UserClient& client, ExportUsersRequest* request, OutputFormat format) {
  UserRows rows(std::cout, format);
  ExportStream chunks = client.ExportUsers(*request);
  for (;;) {
    const auto chunk = co_await chunks.Next();
    if (!chunk.ok()) co_return chunk.status();
    if (!chunk->has_value()) co_return absl::OkStatus();
    for (const users::v1::User& user : (*chunk)->users()) rows.Add(user);
    rows.Flush();
    request->set_resume_token((*chunk)->resume_token());
    // Nobody reads any more: end the stream, and say so where errors are reported.
    if (!std::cout.good()) co_return absl::OkStatus();
  }
}

}  // namespace

void AddExportCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("export", "Streams every matching user, by number; with --output=json a line each");
  const auto request = std::make_shared<ExportUsersRequest>();
  command->add_option_function<std::string>(
      "--filter", [request](const std::string& filter) { request->set_filter(filter); },
      "Which users (AIP-160); all if not given");
  command
      ->add_option_function<std::string>(
          "--resume-token", [request](const std::string& token) { request->set_resume_token(token); },
          "Go on where a broken export ended")
      ->type_name("TOKEN");
  command->footer("Example:\n  userctl export --output csv > users.csv");
  command->callback([&chosen, request] {
    chosen = [request](const Globals& globals, const std::stop_token& stop) {
      const Rpcs rpcs = [&](UserClient& client) { return Export(client, request.get(), globals.output); };
      const int exit = RunRpcs(globals, stop, rpcs);
      if (exit != kExitOk && !request->resume_token().empty()) {
        std::cerr << "  to go on:    add --resume-token=" << request->resume_token() << '\n';
      }
      return exit;
    };
  });
}

}  // namespace userservice::cli
