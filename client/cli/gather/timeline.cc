#include "client/cli/gather/timeline.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/table.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr int kSpanWidth = 11;  // "  12,345 ms"

int PlotWidth(const TimelineStyle& style) {
  return std::max(20, style.width - style.label_width - 2 - kSpanWidth);
}

// The most calls that are in flight at one moment. Calls that only touch are not.
int MaxInFlight(const std::vector<Interval>& calls) {
  std::vector<std::pair<absl::Duration, int>> edges;
  for (const Interval& call : calls) {
    edges.emplace_back(call.start, 1);
    edges.emplace_back(call.end, -1);
  }
  std::sort(edges.begin(), edges.end());  // at one time, ends before starts
  int now = 0;
  int most = 0;
  for (const auto& [time, change] : edges) most = std::max(most, now += change);
  return std::max(most, 1);
}

// What the calls do in one column.
struct Cell {
  double covered = 0;     // the part of the column in which a call is in flight
  double intensity = 0;   // how many in that part, relative to the most of the row
  bool at_left = false;   // there is a call at the column's left edge
  bool at_right = false;  // and at its right edge
};

// `calls` in the order of their starts.
Cell CellOf(const std::vector<Interval>& calls, absl::Duration from, absl::Duration to,
            int max_in_flight) {
  Cell cell;
  double filled = 0;
  absl::Duration covered_to = from;
  for (const Interval& call : calls) {
    const absl::Duration start = std::max(call.start, from);
    const absl::Duration end = std::min(call.end, to);
    if (end <= start) continue;
    filled += absl::FDivDuration(end - start, to - from);
    cell.covered +=
        absl::FDivDuration(std::max(end, covered_to) - std::max(start, covered_to), to - from);
    covered_to = std::max(covered_to, end);
    cell.at_left = cell.at_left || call.start <= from;
    cell.at_right = cell.at_right || call.end >= to;
  }
  if (cell.covered > 0) cell.intensity = filled / cell.covered / max_in_flight;
  return cell;
}

std::string AsciiGlyph(const Cell& cell) {
  const double filled = cell.covered * cell.intensity;
  return filled > 0.75 ? "#" : filled > 0.5 ? "+" : filled > 0.2 ? "-" : ".";
}

std::string Glyph(const Cell& cell, bool unicode) {
  static constexpr const char* kFromLeft[] = {"▏", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  if (cell.covered <= 0) return " ";
  if (!unicode) return AsciiGlyph(cell);
  if (cell.intensity <= 0.2) return "░";
  if (cell.intensity <= 0.5) return "▒";
  if (cell.intensity <= 0.85) return "▓";
  if (cell.at_right && !cell.at_left)
    return cell.covered > 0.75 ? "█" : cell.covered > 0.25 ? "▐" : "▕";
  // Between calls one after another there are gaps of microseconds, which are not to show.
  if (cell.at_left && cell.at_right) return "█";
  return kFromLeft[std::clamp(static_cast<int>(std::lround(cell.covered * 8)), 1, 8)];
}

absl::Duration SpanOf(const std::vector<Interval>& calls) {
  if (calls.empty()) return absl::ZeroDuration();
  absl::Duration first = calls.front().start;
  absl::Duration last = calls.front().end;
  for (const Interval& call : calls) {
    first = std::min(first, call.start);
    last = std::max(last, call.end);
  }
  return last - first;
}

std::string DrawRow(const TimelineRow& row, absl::Duration scale, const TimelineStyle& style) {
  const int width = PlotWidth(style);
  const int max_in_flight = MaxInFlight(row.calls);
  std::vector<Interval> calls = row.calls;
  std::sort(calls.begin(), calls.end(),
            [](const Interval& a, const Interval& b) { return a.start < b.start; });
  std::string bars;
  for (int column = 0; column < width; ++column) {
    const Cell cell =
        CellOf(calls, scale * column / width, scale * (column + 1) / width, max_in_flight);
    bars += Glyph(cell, style.unicode);
  }
  if (style.colours) bars = Coloured(bars, row.colour);
  return absl::StrCat(Pad(row.label, style.label_width, Align::kLeft), "  ", bars,
                      Pad(Milliseconds(SpanOf(row.calls)), kSpanWidth, Align::kRight), "\n");
}

// 1, 2 or 5 times a power of ten, so that ticks are at least `columns_min` apart. In milliseconds.
double TickStep(double scale_ms, int width, int columns_min) {
  const double smallest = scale_ms * columns_min / width;
  double step = std::pow(10, std::floor(std::log10(smallest)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (step * factor >= smallest) return step * factor;
  }
  return step * 10;
}

}  // namespace

std::string Milliseconds(absl::Duration duration) {
  const double ms = absl::ToDoubleMilliseconds(duration);
  if (ms >= 999.5) return absl::StrCat(WithThousands(std::llround(ms)), " ms");
  const int decimals = ms >= 99.95 ? 0 : ms >= 9.995 ? 1 : 2;
  return absl::StrFormat("%.*f ms", decimals, ms);
}

std::string DrawRows(const std::vector<TimelineRow>& rows, absl::Duration scale,
                     const TimelineStyle& style) {
  std::string drawing;
  for (const TimelineRow& row : rows) drawing += DrawRow(row, scale, style);
  return drawing;
}

std::string DrawAxis(absl::Duration scale, const TimelineStyle& style) {
  const int width = PlotWidth(style);
  const double scale_ms = std::max(absl::ToDoubleMilliseconds(scale), 1e-3);
  const double step = TickStep(scale_ms, width, 10);
  std::string times(static_cast<size_t>(width + kSpanWidth), ' ');
  std::vector<std::string> ruler(static_cast<size_t>(width), style.unicode ? "─" : "-");
  for (int tick = 0; tick * step <= scale_ms; ++tick) {
    const auto column = static_cast<size_t>(std::lround(tick * step / scale_ms * width));
    if (column >= ruler.size()) break;
    ruler[column] = style.unicode ? (tick == 0 ? "├" : "┼") : "+";
    const double at = tick * step;
    const std::string text =
        at == std::floor(at) ? WithThousands(std::llround(at)) : absl::StrFormat("%g", at);
    const std::string label = tick == 0 ? absl::StrCat(text, " ms") : text;
    times.replace(column, label.size(), label);
  }
  times.erase(times.find_last_not_of(' ') + 1);
  const std::string margin(static_cast<size_t>(style.label_width + 2), ' ');
  std::string drawing = absl::StrCat(margin, times, "\n", margin);
  for (const std::string& piece : ruler) drawing += piece;
  return absl::StrCat(drawing, style.unicode ? "┤" : "+", "\n");
}

}  // namespace userservice::cli
