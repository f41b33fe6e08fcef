// The report of `userctl gather` as JSON and as CSV.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/csv.h"
#include "client/cli/gather/report.h"
#include "client/cli/json_text.h"

namespace userservice::cli {
namespace {

std::string Ms(absl::Duration duration) {
  return absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(duration));
}

std::string KindJson(const KindTimes& times) {
  return absl::StrFormat(
      R"({"kind": "%s", "calls": %d, "sequential_ms": %s, "gathered_ms": %s, "speed_up": %.2f})",
      times.name, times.calls, Ms(times.sequential), Ms(times.gathered), times.speed_up());
}

std::string TimesJson(const Interval& call, const std::vector<ServerSpan>& spans) {
  std::string server;
  for (const ServerSpan& span : spans) {
    absl::StrAppend(&server, server.empty() ? "" : ", ", JsonText(span.name), ": ",
                    Ms(span.duration));
  }
  return absl::StrFormat(R"({"start_ms": %s, "end_ms": %s, "server_ms": {%s}})", Ms(call.start),
                         Ms(call.end), server);
}

std::vector<std::string> CsvFields(const KindTimes& times) {
  return {times.name, absl::StrCat(times.calls), Ms(times.sequential), Ms(times.gathered),
          absl::StrFormat("%.2f", times.speed_up())};
}

}  // namespace

void PrintReportJson(std::ostream& out, const GatherReport& report) {
  const Summary& summary = report.summary;
  out << "{\n \"server\": " << JsonText(report.server) << ",\n \"users\": " << report.users
      << ",\n \"added_rtt_ms\": " << Ms(report.round_trip)
      << ",\n \"same_answers\": " << (summary.differences.empty() ? "true" : "false")
      << ",\n \"kinds\": [\n";
  for (const KindTimes& times : summary.kinds) out << "  " << KindJson(times) << ",\n";
  out << "  " << KindJson(summary.all) << "\n ],\n \"calls\": [";
  for (size_t i = 0; i < report.plan.size(); ++i) {
    out << (i == 0 ? "\n" : ",\n") << "  {\"kind\": \"" << NameOf(report.plan[i].kind)
        << "\", \"label\": " << JsonText(report.plan[i].label) << ", \"sequential\": "
        << TimesJson(report.sequential.calls[i], report.sequential.server_spans[i])
        << ", \"gathered\": "
        << TimesJson(report.gathered.calls[i], report.gathered.server_spans[i]) << "}";
  }
  out << "\n ]\n}\n";
}

void PrintReportCsv(std::ostream& out, const GatherReport& report) {
  WriteCsvRow(out, {"kind", "calls", "sequential_ms", "gathered_ms", "speed_up"});
  for (const KindTimes& times : report.summary.kinds) WriteCsvRow(out, CsvFields(times));
  WriteCsvRow(out, CsvFields(report.summary.all));
}

}  // namespace userservice::cli
