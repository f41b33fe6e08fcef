// Draws intervals of time as bars of characters, one row for one call or for several.
//
//   all users       ██▌                                                    21.3 ms
//   user 1-25                  ███████████                                512.0 ms
//
// A row that never has two calls at once is drawn solid, to an eighth of a column. One that has is
// shaded by how many of them are in flight, relative to the most: ░ few, █ all.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/gather/runs.h"
#include "client/cli/terminal.h"

namespace userservice::cli {

struct TimelineRow {
  std::string label;
  Colour colour;
  std::vector<Interval> calls;
};

struct TimelineStyle {
  int width = 100;  // of a whole line, in columns
  int label_width = 16;
  bool unicode = true;  // else ASCII
  bool colours = false;
};

// The lines of the rows, each ending in \n, on a scale from 0 to `scale`, with the span of each row
// at its right.
std::string DrawRows(const std::vector<TimelineRow>& rows, absl::Duration scale,
                     const TimelineStyle& style);

// Two lines: the times, and a ruler.
std::string DrawAxis(absl::Duration scale, const TimelineStyle& style);

// "2,051 ms", "21.3 ms", "0.42 ms": three digits or more.
std::string Milliseconds(absl::Duration duration);

}  // namespace userservice::cli
