#include "client/cli/conformance/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/csv.h"
#include "client/cli/json_text.h"
#include "client/cli/terminal.h"
#include "client/cli/text_width.h"

namespace userservice::cli::conformance {
namespace {

// One cause fails several checks: the first ones tell it.
constexpr size_t kFindingsShownMax = 5;

std::string NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "FAIL";
    case Verdict::kSkip:
      return "skip";
  }
  return "";
}

Colour ColourOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return Colour::kGreen;
    case Verdict::kFail:
      return Colour::kRed;
    case Verdict::kSkip:
      return Colour::kYellow;
  }
  return Colour::kNone;
}

std::string JsonRule(const Result& result) {
  std::string findings;
  for (const Finding& finding : result.findings) {
    absl::StrAppend(&findings, findings.empty() ? "" : ", ", "{\"what\": ", JsonText(finding.what),
                    ", \"expected\": ", JsonText(finding.expected),
                    ", \"came\": ", JsonText(finding.came), "}");
  }
  return absl::StrCat("{\"group\": ", JsonText(result.group), ", \"rule\": ", JsonText(result.rule),
                      ", \"verdict\": ", JsonText(NameOf(result.verdict)),
                      ", \"ms\": ", absl::ToInt64Milliseconds(result.duration),
                      ", \"reason\": ", JsonText(result.reason),
                      ", \"left_behind\": ", JsonText(result.left_behind), ", \"findings\": [",
                      findings, "]}");
}

}  // namespace

Totals::Totals(const std::vector<Result>& results) {
  for (const Result& result : results) {
    passed += result.verdict == Verdict::kPass ? 1 : 0;
    failed += result.verdict == Verdict::kFail ? 1 : 0;
    skipped += result.verdict == Verdict::kSkip ? 1 : 0;
    left_behind += result.left_behind.empty() ? 0 : 1;
    duration += result.duration;
  }
}

std::string Sentence(const Finding& finding) {
  return absl::StrCat(finding.what, ": expected ", finding.expected, ", came ", finding.came);
}

void RuleLines::Add(const Result& result) {
  if (result.group != group_) {
    out_ << (group_.empty() ? "" : "\n") << result.group << '\n';
    group_ = result.group;
  }
  const std::string verdict = NameOf(result.verdict);
  out_ << "  " << (colours_ ? Coloured(verdict, ColourOf(result.verdict)) : verdict) << "  "
       << result.rule;
  if (!result.reason.empty()) out_ << ": " << Printable(result.reason);
  out_ << '\n';
  size_t shown = 0;
  for (const Finding& finding : result.findings) {
    if (shown++ == kFindingsShownMax) {
      out_ << "          and " << result.findings.size() - kFindingsShownMax << " more\n";
      break;
    }
    out_ << "          " << Printable(Sentence(finding)) << '\n';
  }
  if (!result.left_behind.empty()) out_ << "        " << Printable(result.left_behind) << '\n';
  out_.flush();
}

std::string Summary(const Totals& totals) {
  const int rules = totals.passed + totals.failed + totals.skipped;
  return absl::StrFormat("%d rules: %d passed, %d failed, %d skipped, in %.1f s", rules,
                         totals.passed, totals.failed, totals.skipped,
                         absl::ToDoubleSeconds(totals.duration));
}

void PrintRulesJson(std::ostream& out, const std::string& server,
                    const std::vector<Result>& results) {
  const Totals totals(results);
  out << "{\n \"server\": " << JsonText(server) << ",\n \"passed\": " << totals.passed
      << ",\n \"failed\": " << totals.failed << ",\n \"skipped\": " << totals.skipped
      << ",\n \"rules\": [";
  const char* separator = "\n  ";
  for (const Result& result : results) {
    out << separator << JsonRule(result);
    separator = ",\n  ";
  }
  out << "\n ]\n}\n";
}

void PrintRulesCsv(std::ostream& out, const std::vector<Result>& results) {
  WriteCsvRow(out, {"group", "rule", "verdict", "ms", "detail"});
  for (const Result& result : results) {
    std::string detail = result.reason;
    for (const Finding& finding : result.findings)
      absl::StrAppend(&detail, detail.empty() ? "" : "\n", Printable(Sentence(finding)));
    WriteCsvRow(out, {result.group, result.rule, NameOf(result.verdict),
                      absl::StrCat(absl::ToInt64Milliseconds(result.duration)), detail});
  }
}

}  // namespace userservice::cli::conformance
