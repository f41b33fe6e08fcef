// userctl health.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/csv.h"

namespace userservice::cli {
namespace {

Task<absl::Status> Health(UserClient& client, std::string service, OutputFormat format,
                          bool* serving) {
  const absl::StatusOr<bool> answer = co_await client.Check(service);
  if (!answer.ok()) co_return answer.status();
  *serving = *answer;
  const std::string status = *answer ? "SERVING" : "NOT_SERVING";
  switch (format) {
    case OutputFormat::kTable:
      std::cout << status << '\n';
      break;
    case OutputFormat::kJson:
      std::cout << "{\n \"status\": \"" << status << "\"\n}\n";
      break;
    case OutputFormat::kCsv:
      WriteCsvRow(std::cout, {"status"});
      WriteCsvRow(std::cout, {status});
      break;
  }
  co_return absl::OkStatus();
}

}  // namespace

void AddHealthCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command =
      app.add_subcommand("health", "Asks whether the server serves; exit status 1 if not");
  const auto service = std::make_shared<std::string>();
  command->add_option("--service", *service,
                      "A service, like users.v1.UserService; the whole server if not given");
  command->footer("Example:\n  userctl health && userctl list");
  command->callback([&chosen, service] {
    chosen = [service](const Globals& globals, const std::stop_token& stop) {
      bool serving = false;
      const Rpcs rpcs = [&](UserClient& client) {
        return Health(client, *service, globals.output, &serving);
      };
      const int exit = RunRpcs(globals, stop, rpcs);
      return exit == kExitOk && !serving ? kExitError : exit;
    };
  });
}

}  // namespace userservice::cli
