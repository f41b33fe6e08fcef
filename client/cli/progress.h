// How far a long transfer has come: one line that is drawn again and again at the foot of a
// terminal.
//
//   people.csv  ████████████▌              52 %  1,234,567 users  41,200/s  0:27 left
//
// On a narrow terminal the rate, the label, the number of users and the time left go, in this
// order, until the bar has room.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace userservice::cli {

struct Progress {
  Progress() = default;
  std::string label;
  int64_t users = 0;
  double part = -1;             // 0 to 1 of the whole; negative when that is not known
  double users_per_second = 0;  // 0: not known
  absl::Duration left = absl::InfiniteDuration();  // infinite: not known
};

// At most `columns` wide, without a line end.
std::string ProgressText(const Progress& progress, int columns, bool unicode);

// "0:07", "12:05", "1:02:03".
std::string ClockText(absl::Duration duration);

// Makes Progress out of what was done when. `whole` and `done` are in any one unit, bytes or users;
// 0 for a whole that is not known. Rates are those of this run: what was done before it took no
// time of it.
class ProgressMeter {
 public:
  ProgressMeter(std::string label, int64_t whole, int64_t done_before, int64_t users_before,
                absl::Time now);

  Progress At(int64_t done, int64_t users, absl::Time now) const;

 private:
  const std::string label_;
  const int64_t whole_;
  const int64_t done_before_;
  const int64_t users_before_;
  const absl::Time start_;
};

// Draws on standard error. Nothing, if that is not a terminal or is one that can not move its
// cursor.
class ProgressLine {
 public:
  explicit ProgressLine(ProgressMeter meter);
  ~ProgressLine();  // cleared
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Draws, unless it has only just done so.
  void Show(int64_t done, int64_t users);
  // Takes it away, for other text.
  void Clear();

 private:
  const ProgressMeter meter_;
  const bool is_shown_;
  bool is_drawn_ = false;
  absl::Time next_ = absl::InfinitePast();
};

// Whether a ProgressLine would draw.
bool ShowsProgress();

}  // namespace userservice::cli
