// Prints what `userctl gather` found: for people a table and a timeline, for programs JSON or CSV.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/gather/plan.h"
#include "client/cli/gather/runs.h"
#include "client/cli/gather/summary.h"

namespace userservice::cli {

struct GatherReport {
  std::string server;
  int64_t users = 0;          // that the server has
  absl::Duration round_trip;  // that the relay adds; zero: there is no relay
  std::vector<PlannedCall> plan;
  MeasuredRun sequential;
  MeasuredRun gathered;
  Summary summary;
};

struct ReportStyle {
  int width = 100;
  bool unicode = true;
  bool colours = false;
};

void PrintReport(std::ostream& out, const GatherReport& report, const ReportStyle& style);

// One object: the server, `kinds` as in the table, and every call with its times in both runs, in
// milliseconds.
void PrintReportJson(std::ostream& out, const GatherReport& report);

// A line for each kind, and one for all.
void PrintReportCsv(std::ostream& out, const GatherReport& report);

}  // namespace userservice::cli
