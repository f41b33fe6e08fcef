// The rules of the contract, as data: groups of sentences, each with the function that checks it.
// One file a group, in the order of AllGroups().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/cli/conformance/probe.h"

namespace userservice::cli::conformance {

struct Rule {
  std::string name;  // a sentence without a full stop
  void (*check)(Probe& probe);
};

struct Group {
  Group(std::string group_name, std::vector<Rule> group_rules)
      : name(std::move(group_name)), rules(std::move(group_rules)) {}
  std::string name;
  std::vector<Rule> rules;
};

Group PagingRules();
Group ValueRules();
Group FilterRules();
Group OrderRules();
Group MaskRules();
Group EtagRules();
Group IdempotencyRules();
Group BatchRules();
Group ErrorRules();
Group ExportRules();
Group ImportRules();
Group WatchRules();
Group MethodRules();
Group DeadlineRules();
Group ServingRules();

std::vector<Group> AllGroups();

}  // namespace userservice::cli::conformance
