// userctl: users.v1.UserService from the command line.
#include <iostream>
#include <string>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/synchronization/mutex.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"

namespace userservice::cli {
namespace {

OutputFormat FormatNamed(const std::string& name) {
  if (name == "json") return OutputFormat::kJson;
  if (name == "csv") return OutputFormat::kCsv;
  return OutputFormat::kTable;
}

void AddGlobals(CLI::App& app, Globals& globals) {
  app.add_option("--server", globals.server, "Where the server listens")
      ->envname("USERCTL_SERVER")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--output", [&globals](const std::string& name) { globals.output = FormatNamed(name); },
         "How answers are printed: table, json or csv")
      ->type_name("FORMAT")
      ->default_str("table")
      ->check(CLI::IsMember({"table", "json", "csv"}).description(""));
  AddDuration(app, "--timeout", globals.timeout, "The deadline of each RPC")->default_str("10s");
}

int Main(int argc, char** argv) {
#ifdef NDEBUG
  // Debian's abseil checks every lock for deadlocks, and gRPC's locks are abseil's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  const InterruptScope interrupt;
  CLI::App app("userctl: users.v1.UserService from the command line", "userctl");
  Globals globals;
  Action chosen;
  app.require_subcommand(1);
  app.set_version_flag("--version", "userctl 1.0.0");
  AddGlobals(app, globals);
  for (const auto add : {AddCreateCommand, AddGetCommand, AddLookupCommand, AddListCommand, AddUpdateCommand,
                         AddDeleteCommand, AddCountCommand, AddExportCommand, AddHealthCommand, AddGatherCommand}) {
    add(app, chosen);
  }
  for (CLI::App* command : app.get_subcommands({})) command->fallthrough();
  app.footer("Exit status: 0; 1 for an error of an RPC; 2 for bad usage.\nHelp on a command: userctl COMMAND --help");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return chosen(globals, interrupt.token());
}

}  // namespace
}  // namespace userservice::cli

int main(int argc, char** argv) { return userservice::cli::Main(argc, argv); }
