#include "client/cli/command.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "async/block_on.h"
#include "client/cli/error_report.h"
#include "client/cli/files.h"
#include "client/cli/terminal.h"
#include "client/cli/text_width.h"

namespace userservice::cli {

ClientOptions ClientOptionsFrom(const Globals& globals) {
  ClientOptions options;
  options.deadline = globals.timeout.value_or(kTimeout);
  options.stream_deadline = globals.timeout.value_or(absl::InfiniteDuration());
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

int ConcludeWithFiles(const Globals& globals, const std::stop_token& stop,
                      const absl::Status& status) {
  if (!IsFileError(status) || stop.stop_requested()) return Conclude(globals, stop, status);
  std::cout.flush();
  std::cerr << "userctl: " << Printable(std::string(status.message())) << '\n';
  return kExitError;
}

int ConcludeUnusable(const std::string& command, const absl::Status& status) {
  std::cerr << "userctl: " << Printable(std::string(status.message())) << " (see userctl "
            << command << " --help)\n";
  return kExitUsage;
}

CLI::Option* AddDuration(CLI::App& app, const std::string& name,
                         std::function<void(absl::Duration)> take, const std::string& help) {
  const auto parse = [take = std::move(take), name](const std::string& text) {
    absl::Duration value;
    if (!absl::ParseDuration(text, &value) || value < absl::ZeroDuration()) {
      throw CLI::ValidationError(name, "not a time like 20ms, 1.5s or 2m: " + text);
    }
    take(value);
  };
  return app.add_option_function<std::string>(name, parse, help)->type_name("TIME");
}

CLI::Validator Decimal() {
  const auto check = [](const std::string& text) -> std::string {
    constexpr size_t kDigitsMax = 18;
    const bool is_decimal = !text.empty() && text.size() <= kDigitsMax &&
                            text.find_first_not_of("0123456789") == std::string::npos &&
                            (text[0] != '0' || text.size() == 1);
    return is_decimal ? "" : "not a whole number like 0 or 42: " + text;
  };
  return {check, ""};
}

}  // namespace userservice::cli
