// userctl conformance.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "async/block_on.h"
#include "client/channel.h"
#include "client/cli/command.h"
#include "client/cli/conformance/report.h"
#include "client/cli/conformance/rules.h"
#include "client/cli/conformance/run.h"
#include "client/cli/terminal.h"

namespace userservice::cli {
namespace {

struct ConformanceArguments {
  std::vector<std::string> only;
  std::string junit;
  bool list = false;
};

std::vector<conformance::Group> ChosenGroups(const ConformanceArguments& arguments) {
  std::vector<conformance::Group> groups = conformance::AllGroups();
  if (arguments.only.empty()) return groups;
  const auto is_left_out = [&](const conformance::Group& group) {
    return std::find(arguments.only.begin(), arguments.only.end(), group.name) ==
           arguments.only.end();
  };
  groups.erase(std::remove_if(groups.begin(), groups.end(), is_left_out), groups.end());
  return groups;
}

int ListRules(const std::vector<conformance::Group>& groups) {
  for (const conformance::Group& group : groups) {
    std::cout << group.name << '\n';
    for (const conformance::Rule& rule : group.rules) std::cout << "  " << rule.name << '\n';
  }
  return kExitOk;
}

// Whether anything speaks gRPC there at all: without it every rule would say that it does not.
absl::Status Reach(const Globals& globals, const std::stop_token& stop) {
  const auto client = UserClient::Connect(globals.server, ClientOptionsFrom(globals));
  const absl::StatusOr<users::v1::User> user = BlockOn(client->GetUser(0), stop);
  const bool is_silent =
      user.status().code() == absl::StatusCode::kUnavailable && ReasonOf(user.status()).empty();
  return is_silent ? user.status() : absl::OkStatus();
}

// What the command exits with, once the summary was printed where it belongs.
int ConcludeRules(const Globals& globals, const std::stop_token& stop,
                  const std::vector<conformance::Result>& results) {
  const conformance::Totals totals(results);
  switch (globals.output) {
    case OutputFormat::kTable:
      std::cout << '\n' << conformance::Summary(totals) << '\n';
      break;
    case OutputFormat::kJson:
      conformance::PrintRulesJson(std::cout, globals.server, results);
      break;
    case OutputFormat::kCsv:
      conformance::PrintRulesCsv(std::cout, results);
      break;
  }
  if (totals.left_behind > 0) std::cerr << "userctl: not all users of this run were removed\n";
  const int exit = Conclude(globals, stop, absl::OkStatus());
  return exit == kExitOk && totals.failed + totals.left_behind > 0 ? kExitError : exit;
}

int RunConformance(const ConformanceArguments& arguments, const Globals& globals,
                   const std::stop_token& stop) {
  const std::vector<conformance::Group> groups = ChosenGroups(arguments);
  if (arguments.list) return ListRules(groups);
  std::ofstream junit;
  if (!arguments.junit.empty()) {
    junit.open(arguments.junit);
    if (!junit.good()) {
      std::cerr << "userctl: can not write " << arguments.junit << '\n';
      return kExitUsage;
    }
  }
  const absl::Status reached = Reach(globals, stop);
  if (!reached.ok() || stop.stop_requested()) return Conclude(globals, stop, reached);

  const conformance::Server server{internal::MakeChannel(globals.server, ClientOptionsFrom(globals),
                                                         internal::Retries::kNothing),
                                   globals.timeout.value_or(kTimeout)};
  const std::string domain = conformance::NewRunDomain();
  const bool for_people = globals.output == OutputFormat::kTable;
  if (for_people) {
    std::cout << "users.v1 at " << globals.server << "; the users of this run are at *." << domain
              << "\n\n";
  }
  conformance::RuleLines lines(std::cout, ShowsColours(STDOUT_FILENO));
  const auto results =
      conformance::RunRules(groups, server, domain, stop, [&](const conformance::Result& result) {
        if (for_people) lines.Add(result);
      });
  if (junit.is_open()) junit << conformance::JUnitXml(globals.server, results) << std::flush;
  const int exit = ConcludeRules(globals, stop, results);
  if (junit.good()) return exit;
  std::cerr << "userctl: can not write " << arguments.junit << '\n';
  return kExitError;
}

std::vector<std::string> GroupNames() {
  std::vector<std::string> names;
  for (const conformance::Group& group : conformance::AllGroups()) names.push_back(group.name);
  return names;
}

}  // namespace

void AddConformanceCommand(CLI::App& app, Action& chosen) {
  CLI::App* const command = app.add_subcommand(
      "conformance", "Checks the rules of users.v1 against the server, and cleans up");
  const auto arguments = std::make_shared<ConformanceArguments>();
  command->add_option("--only", arguments->only, "Of these groups alone; may be repeated")
      ->check(CLI::IsMember(GroupNames()))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("GROUP");
  command->add_option("--junit", arguments->junit, "Also write the results as JUnit XML")
      ->type_name("FILE");
  command->add_flag("--list", arguments->list, "Only print the rules");
  command->footer(
      "It makes users at a domain that nobody else has, and removes them; others are left alone.\n"
      "Exits with 0 if all rules pass, with 1 if one fails.\n"
      "Example:\n  userctl conformance --only paging --only filters --junit results.xml");
  command->callback([&chosen, arguments] {
    chosen = [arguments](const Globals& globals, const std::stop_token& stop) {
      return RunConformance(*arguments, globals, stop);
    };
  });
}

}  // namespace userservice::cli
