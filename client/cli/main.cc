#include "client/cli/main.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/address.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr char kFooter[] = R"(Examples:
  userctl list --filter 'age > 25' --order-by 'age desc' --limit 10
  userctl create --name 'Ada Lovelace' --email ada@example.com --age 36
  userctl --output json get 1
  userctl gather --rtt=20ms

Help on a command:  userctl COMMAND --help
Exit status:        0; 1 for an error of an RPC; 2 for bad usage; 130 when interrupted.)";

OutputFormat FormatNamed(const std::string& name) {
  if (name == "json") return OutputFormat::kJson;
  if (name == "csv") return OutputFormat::kCsv;
  return OutputFormat::kTable;
}

std::string CheckAddress(const std::string& text) {
  if (ParseAddress(text).has_value()) return "";
  return absl::StrCat("not HOST:PORT, like 127.0.0.1:50051: '", text, "'");
}

// What "inf" comes to: a moment so far away can still be told to gRPC.
constexpr absl::Duration kLongestTimeout = absl::Hours(24 * 365);

void AddGlobals(CLI::App& app, Globals& globals) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--server", globals.server, "Where the server listens")
      ->envname("USERCTL_SERVER")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(CheckAddress, ""))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--output", [&globals](const std::string& name) { globals.output = FormatNamed(name); },
         "How answers are printed: table, json or csv")
      ->type_name("FORMAT")
      ->default_str("table")
      ->check(CLI::IsMember({"table", "json", "csv"}).description(""));
  AddDuration(
      app, "--timeout",
      [&globals](absl::Duration timeout) { globals.timeout = std::min(timeout, kLongestTimeout); },
      "The deadline of each RPC; exports, imports and watches have none unless it is given")
      ->default_str("10s");
}

std::string UsageError(const CLI::App* app, const CLI::Error& error) {
  const CLI::App* named = app;
  for (const CLI::App* command : app->get_subcommands()) named = command;
  const std::string command = named == app ? "" : absl::StrCat(" ", named->get_name());
  return absl::StrCat("userctl: ", error.what(), " (see userctl", command, " --help)\n");
}

}  // namespace

int Main(int argc, char** argv) {
#ifdef NDEBUG
  // Debian's abseil checks every lock for deadlocks, and gRPC's locks are abseil's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of the write, see Conclude
  const InterruptScope interrupt;
  CLI::App app("userctl: users.v1.UserService from the command line", "userctl");
  Globals globals;
  Action chosen;
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "userctl 1.0.0");
  app.failure_message(UsageError);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  AddGlobals(app, globals);
  for (const auto add :
       {AddCreateCommand, AddGetCommand, AddLookupCommand, AddListCommand, AddUpdateCommand,
        AddDeleteCommand, AddCountCommand, AddExportCommand, AddImportCommand, AddHealthCommand,
        AddGatherCommand, AddConformanceCommand, AddWatchCommand, AddBenchCommand}) {
    add(app, chosen);
  }
  for (CLI::App* command : app.get_subcommands({})) command->fallthrough();
  app.footer(kFooter);
  for (int i = 1; i < argc; ++i) {
    if (IsUtf8(argv[i])) continue;  // what protobuf takes; gRPC's own answer would be INTERNAL
    std::cerr << "userctl: argument " << i << " is not UTF-8 (see userctl --help)\n";
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (!chosen) {
    std::cerr << app.help();
    return kExitUsage;
  }
  return chosen(globals, interrupt.token());
}

}  // namespace userservice::cli
