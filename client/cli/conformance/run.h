// Runs rules against a server, one after another, and says how each went.
//
// Each rule has users of its own, at a domain of its own under a domain of the run, and they are
// removed when it ends, however that is; so runs do not disturb each other, nor the users that are
// there. A stop cancels the call that runs, and ends the run after the rule's users were removed.
// Threads: blocks; `on_result` is called on the caller's thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {

enum class Verdict { kPass, kFail, kSkip };

struct Result {
  std::string group;
  std::string rule;
  Verdict verdict = Verdict::kPass;
  std::vector<Finding> findings;  // of kFail
  std::string reason;             // of kSkip
  std::string left_behind;        // users that could not be removed; "" if none
  absl::Duration duration;
};

using OnResult = std::function<void(const Result& result)>;

// The results of the rules that were begun.
std::vector<Result> RunRules(const std::vector<Group>& groups, const Server& server,
                             const std::string& run_domain, const std::stop_token& stop,
                             const OnResult& on_result);

// A domain that nobody else has: "1f0c...conformance.example".
std::string NewRunDomain();

}  // namespace userservice::cli::conformance
