#include "client/cli/conformance/run.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "client/request_id.h"

namespace userservice::cli::conformance {
namespace {

constexpr size_t kRandomBytes = 12;  // of a UUID's hexadecimal digits: 48 bits

Result RunRule(const Group& group, const Rule& rule, Probe& probe) {
  Result result;
  result.group = group.name;
  result.rule = rule.name;
  const absl::Time start = absl::Now();
  rule.check(probe);
  if (probe.skipped().has_value()) {
    result.verdict = Verdict::kSkip;
    result.reason = *probe.skipped();
  } else if (!probe.findings().empty()) {
    result.verdict = Verdict::kFail;
    result.findings = probe.findings();
  }
  result.left_behind = probe.RemoveUsers();
  result.duration = absl::Now() - start;
  return result;
}

}  // namespace

std::vector<Result> RunRules(const std::vector<Group>& groups, const Server& server,
                             const std::string& run_domain, const std::stop_token& stop,
                             const OnResult& on_result) {
  std::vector<Result> results;
  int number = 0;
  for (const Group& group : groups) {
    for (const Rule& rule : group.rules) {
      if (stop.stop_requested()) return results;
      Probe probe(server, absl::StrCat("r", ++number, ".", run_domain), stop);
      Result result = RunRule(group, rule, probe);
      if (stop.stop_requested() && result.verdict == Verdict::kFail) {
        result.verdict = Verdict::kSkip;  // what it found is that its calls were cancelled
        result.findings.clear();
        result.reason = "interrupted";
      }
      results.push_back(result);
      on_result(results.back());
    }
  }
  return results;
}

std::string NewRunDomain() {
  const std::string random = absl::StrReplaceAll(NewRequestId(), {{"-", ""}});
  return absl::StrCat(random.substr(0, kRandomBytes), ".conformance.example");
}

}  // namespace userservice::cli::conformance
