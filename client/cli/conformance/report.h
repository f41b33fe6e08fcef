// Prints how the rules went: for people as they end, for programs when all have.
//
//   paging
//     pass  a page_size of 0 gives 50 users
//     FAIL  a negative page_size is refused
//             ListUsers: expected INVALID_ARGUMENT / FIELD_INVALID, came OK
//     skip  ...: why
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "client/cli/conformance/run.h"

namespace userservice::cli::conformance {

struct Totals {
  explicit Totals(const std::vector<Result>& results);
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  int left_behind = 0;  // rules whose users could not all be removed
  absl::Duration duration;
};

// A line a rule, under the name of its group when that changes.
class RuleLines {
 public:
  RuleLines(std::ostream& out, bool colours) : out_(out), colours_(colours) {}
  void Add(const Result& result);

 private:
  std::ostream& out_;
  const bool colours_;
  std::string group_;
};

// "84 rules: 82 passed, 1 failed, 1 skipped, in 3.2 s".
std::string Summary(const Totals& totals);

// One object: the totals, and every rule with its verdict and findings.
void PrintRulesJson(std::ostream& out, const std::string& server,
                    const std::vector<Result>& results);
// A line a rule.
void PrintRulesCsv(std::ostream& out, const std::vector<Result>& results);

// JUnit's XML, as build servers read it: a suite a group, a case a rule.
std::string JUnitXml(const std::string& server, const std::vector<Result>& results);

// What stands in a finding: "users in the page: expected 50, came 3".
std::string Sentence(const Finding& finding);

}  // namespace userservice::cli::conformance
