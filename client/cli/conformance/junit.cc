// JUnitXml of report.h. Source: the schema of Jenkins' xUnit plugin, junit-10.xsd.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/cli/conformance/report.h"
#include "client/cli/text_width.h"

namespace userservice::cli::conformance {
namespace {

// Text for an attribute or an element. What XML 1.0 has no way to write is shown as U+FFFD.
std::string Xml(const std::string& text) {
  return absl::StrReplaceAll(Printable(text), {{"&", "&amp;"},
                                               {"<", "&lt;"},
                                               {">", "&gt;"},
                                               {"\"", "&quot;"},
                                               {"'", "&apos;"},
                                               {"\xEF\xBF\xBE", "\xEF\xBF\xBD"},
                                               {"\xEF\xBF\xBF", "\xEF\xBF\xBD"}});
}

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration));
}

std::string Counts(const std::vector<Result>& results) {
  const Totals totals(results);
  return absl::StrCat("tests=\"", results.size(), "\" failures=\"", totals.failed,
                      "\" errors=\"0\" skipped=\"", totals.skipped, "\" time=\"",
                      Seconds(totals.duration), "\"");
}

std::string Case(const Result& result) {
  std::string body;
  if (result.verdict == Verdict::kFail) {
    std::string text;
    for (const Finding& finding : result.findings)
      absl::StrAppend(&text, text.empty() ? "" : "\n", Xml(Sentence(finding)));
    body = absl::StrCat("\n      <failure message=\"", Xml(Sentence(result.findings.front())),
                        "\">", text, "</failure>");
  } else if (result.verdict == Verdict::kSkip) {
    body = absl::StrCat("\n      <skipped message=\"", Xml(result.reason), "\"/>");
  }
  if (!result.left_behind.empty())
    absl::StrAppend(&body, "\n      <system-err>", Xml(result.left_behind), "</system-err>");
  const std::string head =
      absl::StrCat("    <testcase classname=\"conformance.", Xml(result.group), "\" name=\"",
                   Xml(result.rule), "\" time=\"", Seconds(result.duration), "\"");
  return body.empty() ? head + "/>\n" : head + ">" + body + "\n    </testcase>\n";
}

}  // namespace

std::string JUnitXml(const std::string& server, const std::vector<Result>& results) {
  std::vector<std::pair<std::string, std::vector<Result>>> suites;
  for (const Result& result : results) {
    if (suites.empty() || suites.back().first != result.group)
      suites.emplace_back(result.group, std::vector<Result>());
    suites.back().second.push_back(result);
  }
  std::string xml =
      absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"users.v1 at ",
                   Xml(server), "\" ", Counts(results), ">\n");
  for (const auto& [group, own] : suites) {
    absl::StrAppend(&xml, "  <testsuite name=\"", Xml(group), "\" ", Counts(own), ">\n");
    for (const Result& result : own) xml += Case(result);
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace userservice::cli::conformance
