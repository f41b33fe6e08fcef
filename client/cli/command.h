// What the commands share: the options of all, how one is chosen, and how it runs.
//
// Each Add... function adds a subcommand to the application. When the command line names it, it
// leaves in `chosen` what main then runs.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "client/cli/output.h"
#include "client/user_client.h"

namespace userservice::cli {

constexpr int kExitOk = 0;
constexpr int kExitError = 1;
constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130;  // 128 + SIGINT, as a shell reports it

constexpr absl::Duration kTimeout = absl::Seconds(10);

struct Globals {
  std::string server = "127.0.0.1:50051";
  OutputFormat output = OutputFormat::kTable;
  std::optional<absl::Duration> timeout;  // nothing: kTimeout an RPC, and no end to a stream
};

// Runs the command and gives the program's exit status. `stop` asks it to end early.
using Action = std::function<int(const Globals& globals, const std::stop_token& stop)>;

void AddBenchCommand(CLI::App& app, Action& chosen);
void AddConformanceCommand(CLI::App& app, Action& chosen);
void AddCountCommand(CLI::App& app, Action& chosen);
void AddCreateCommand(CLI::App& app, Action& chosen);
void AddDeleteCommand(CLI::App& app, Action& chosen);
void AddExportCommand(CLI::App& app, Action& chosen);
void AddGatherCommand(CLI::App& app, Action& chosen);
void AddGetCommand(CLI::App& app, Action& chosen);
void AddHealthCommand(CLI::App& app, Action& chosen);
void AddListCommand(CLI::App& app, Action& chosen);
void AddLookupCommand(CLI::App& app, Action& chosen);
void AddUpdateCommand(CLI::App& app, Action& chosen);
void AddWatchCommand(CLI::App& app, Action& chosen);

// The RPCs of a command over a connected client.
using Rpcs = std::function<Task<absl::Status>(UserClient& client)>;

// Connects, runs the RPCs to their end, and concludes. `request_id` is what a write carries.
int RunRpcs(const Globals& globals, const std::stop_token& stop, const Rpcs& rpcs,
            const std::string& request_id = "");

// The exit status of a command that ended with `status`, once what went wrong was said on stderr:
// an error of an RPC, an interruption, an output that can not be written. A reader that went away
// is no error.
int Conclude(const Globals& globals, const std::stop_token& stop, const absl::Status& status,
             const std::string& request_id = "");

// Options of a client that is used by these commands.
ClientOptions ClientOptionsFrom(const Globals& globals);

// An option like --timeout=10s; `take` is called with its value.
CLI::Option* AddDuration(CLI::App& app, const std::string& name,
                         std::function<void(absl::Duration)> take, const std::string& help);

// For an option that is a number: whole, not negative, and decimal. By itself CLI11 reads 010 as
// eight, which deletes somebody else.
CLI::Validator Decimal();

}  // namespace userservice::cli
