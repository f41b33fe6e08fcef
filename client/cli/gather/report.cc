#include "client/cli/gather/report.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/address.h"
#include "client/cli/gather/timeline.h"
#include "client/cli/output.h"
#include "client/cli/table.h"
#include "client/cli/terminal.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr size_t kReadRows = 5;  // the reads of one user are too many for a row each
constexpr int kWidthMax = 160;   // wider bars say no more

std::string SpeedUp(double factor) {
  return absl::StrFormat(factor < 99.95 ? "%.1fx" : "%.0fx", factor);
}

std::string Introduction(const GatherReport& report) {
  std::string text = absl::StrCat(
      report.plan.size(), " independent RPCs to ", report.server, " (", UserCount(report.users),
      "), once one after another and once gathered. A list is one page of up to ",
      WithThousands(kPageSize), " users.");
  if (report.round_trip > absl::ZeroDuration()) {
    absl::StrAppend(&text, " --rtt=", absl::FormatDuration(report.round_trip),
                    ": a relay in this program holds every byte back for ",
                    absl::FormatDuration(report.round_trip / 2),
                    " each way, because loopback has no distance and so hides what gathering buys "
                    "across a network.");
  }
  return text;
}

std::vector<Interval> CallsOf(const GatherReport& report, const Run& run, Kind kind) {
  std::vector<Interval> calls;
  for (size_t i = 0; i < report.plan.size(); ++i) {
    if (report.plan[i].kind == kind) calls.push_back(run.calls[i]);
  }
  return calls;
}

std::vector<TimelineRow> RowsOf(const GatherReport& report, const Run& run) {
  std::vector<TimelineRow> rows;
  const auto add_list = [&](Kind kind, const char* label) {
    rows.push_back({label, Colour::kBlue, CallsOf(report, run, kind)});
  };
  add_list(Kind::kListAll, "  all users");
  add_list(Kind::kListOlderThan25, "  age > 25");
  add_list(Kind::kListOlderThan40, "  age > 40");
  const std::vector<Interval> counts = CallsOf(report, run, Kind::kCount);
  rows.push_back({absl::StrCat("  ", counts.size(), " counts"), Colour::kYellow, counts});
  const std::vector<Interval> reads = CallsOf(report, run, Kind::kGet);
  const size_t in_row = (reads.size() + kReadRows - 1) / kReadRows;
  for (size_t from = 0; from < reads.size(); from += in_row) {
    const size_t to = std::min(from + in_row, reads.size());
    rows.push_back({absl::StrCat("  reads ", from + 1, "-", to),
                    Colour::kGreen,
                    {reads.begin() + static_cast<std::ptrdiff_t>(from),
                     reads.begin() + static_cast<std::ptrdiff_t>(to)}});
  }
  return rows;
}

void PrintTable(std::ostream& out, const Summary& summary) {
  Table table({{"RPC", Align::kLeft},
               {"CALLS", Align::kRight},
               {"ONE AFTER ANOTHER", Align::kRight},
               {"GATHERED", Align::kRight},
               {"SPEED-UP", Align::kRight}});
  const auto add = [&](const KindTimes& times) {
    table.AddRow({times.title, absl::StrCat(times.calls), Milliseconds(times.sequential),
                  Milliseconds(times.gathered), SpeedUp(times.speed_up())});
  };
  for (const KindTimes& times : summary.kinds) add(times);
  add(summary.all);
  table.Print(out);
}

std::string Conclusion(const GatherReport& report) {
  const Summary& summary = report.summary;
  const KindTimes& reads = summary.kinds.back();
  std::string text =
      summary.differences.empty()
          ? "Both runs gave the same answers."
          : absl::StrCat(summary.differences.size(), " answers differ between the runs.");
  absl::StrAppend(&text, " Gathered, all ", summary.all.calls, " RPCs took ",
                  Milliseconds(summary.all.gathered), " instead of ",
                  Milliseconds(summary.all.sequential), ": ", SpeedUp(summary.all.speed_up()),
                  " as fast; the ", reads.calls, " reads ", SpeedUp(reads.speed_up()), ".");
  const std::optional<Address> address = ParseAddress(report.server);
  if (report.round_trip == absl::ZeroDuration() && address.has_value() && IsLoopback(*address)) {
    text += " This is loopback: --rtt=20ms shows a network.";
  }
  return text;
}

}  // namespace

void PrintReport(std::ostream& out, const GatherReport& report, const ReportStyle& style) {
  const auto bold = [&](const std::string& text) {
    return Coloured(text, style.colours ? Colour::kBold : Colour::kNone);
  };
  TimelineStyle timeline;
  timeline.width = std::min(style.width, kWidthMax);
  timeline.unicode = style.unicode;
  timeline.colours = style.colours;
  const absl::Duration scale = std::max(report.sequential.total, report.gathered.total);

  out << Wrap(Introduction(report), timeline.width) << '\n';
  PrintTable(out, report.summary);
  out << '\n' << DrawAxis(scale, timeline);
  out << bold("one after another") << '\n'
      << DrawRows(RowsOf(report, report.sequential), scale, timeline);
  out << bold("gathered") << '\n'
      << DrawRows(RowsOf(report, report.gathered), scale, timeline) << '\n';
  out << bold(Wrap(Conclusion(report), timeline.width));
}

}  // namespace userservice::cli
