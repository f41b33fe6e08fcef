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

constexpr size_t kReadRows = 5;
constexpr int kWidthMax = 160;  // wider bars say no more

std::string SpeedUp(double factor) {
  return absl::StrFormat("%.*fx", factor < 99.95 ? 1 : 0, factor);
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

// A row for each list, one for the counts, and a few for the reads, which are too many for a row
// each.
std::vector<TimelineRow> RowsOf(const GatherReport& report, const MeasuredRun& run) {
  std::vector<TimelineRow> rows;
  std::vector<Interval> counts;
  std::vector<Interval> reads;
  for (size_t i = 0; i < report.plan.size(); ++i) {
    switch (report.plan[i].kind) {
      case Kind::kList:
        rows.push_back({"  " + report.plan[i].label, Colour::kBlue, {run.calls[i]}});
        break;
      case Kind::kCount:
        counts.push_back(run.calls[i]);
        break;
      case Kind::kGet:
        reads.push_back(run.calls[i]);
        break;
    }
  }
  rows.push_back({absl::StrCat("  ", counts.size(), " counts"), Colour::kYellow, counts});
  const size_t in_row = (reads.size() + kReadRows - 1) / kReadRows;
  for (size_t from = 0; from < reads.size(); from += in_row) {
    const size_t to = std::min(from + in_row, reads.size());
    std::vector<Interval> some(reads.begin() + static_cast<std::ptrdiff_t>(from),
                               reads.begin() + static_cast<std::ptrdiff_t>(to));
    rows.push_back({absl::StrCat("  reads ", from + 1, "-", to), Colour::kGreen, std::move(some)});
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

// "the 100 reads took 34.3 ms instead of 2,338 ms: 68.3x as fast".
std::string Comparison(const std::string& what, const KindTimes& times) {
  return absl::StrCat(what, " took ", Milliseconds(times.gathered), " instead of ",
                      Milliseconds(times.sequential), ": ", SpeedUp(times.speed_up()), " as fast");
}

std::string Conclusion(const GatherReport& report) {
  const Summary& summary = report.summary;
  std::string text =
      summary.differences.empty()
          ? "Both runs gave the same answers."
          : absl::StrCat(summary.differences.size(), " answers differ between the runs.");
  const std::string all = absl::StrCat("all ", summary.all.calls, " RPCs");
  if (const KindTimes& last = summary.kinds.back(); last.name == NameOf(Kind::kGet)) {
    absl::StrAppend(&text, " Gathered, ",
                    Comparison(absl::StrCat("the ", last.calls, " reads"), last), "; ", all, " ",
                    SpeedUp(summary.all.speed_up()), ".");
  } else {  // there are no users
    absl::StrAppend(&text, " Gathered, ", Comparison(all, summary.all), ".");
  }
  const std::optional<Address> address = ParseAddress(report.server);
  if (report.round_trip == absl::ZeroDuration() && address.has_value() && IsLoopback(*address)) {
    text += " This is loopback: --rtt=20ms shows what a network makes of it.";
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
