#include "client/cli/command.h"

#include <unistd.h>

#include <iostream>

#include "async/block_on.h"
#include "client/cli/error_report.h"
#include "client/cli/terminal.h"

namespace userservice::cli {

ClientOptions ClientOptionsFrom(const Globals& globals) {
  ClientOptions options;
  options.deadline = globals.timeout;
  options.user_agent = "userctl/1.0";
  return options;
}

int RunRpcs(const Globals& globals, const std::stop_token& stop, const Rpcs& rpcs,
            const std::string& request_id) {
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  const absl::Status status = BlockOn(rpcs(*client), stop);
  return Conclude(globals, stop, status, request_id);
}

int Conclude(const Globals& globals, const std::stop_token& stop, const absl::Status& status,
             const std::string& request_id) {
  std::cout.flush();
  if (stop.stop_requested()) {
    std::cerr << "userctl: interrupted\n";
    PrintHowToRepeat(std::cerr, request_id);
    return kExitInterrupted;
  }
  if (!status.ok()) {
    PrintError(std::cerr, status, globals.server, request_id, ShowsColours(STDERR_FILENO));
    return kExitError;
  }
  if (!std::cout.good()) {
    if (!HasReader(STDOUT_FILENO)) return kExitOk;
    std::cerr << "userctl: can not write the output\n";
    return kExitError;
  }
  return kExitOk;
}

CLI::Option* AddDuration(CLI::App& app, const std::string& name, absl::Duration& value,
                         const std::string& help) {
  const auto parse = [&value, name](const std::string& text) {
    if (absl::ParseDuration(text, &value) && value >= absl::ZeroDuration()) return;
    throw CLI::ValidationError(name, "not a time like 20ms, 1.5s or 2m: " + text);
  };
  return app.add_option_function<std::string>(name, parse, help)->type_name("TIME");
}

}  // namespace userservice::cli
