#include "client/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr int kBarMin = 10;
constexpr int kBarMax = 40;
constexpr absl::Duration kRedraw = absl::Milliseconds(100);

// `part` of `columns`, to an eighth of a column.
std::string Bar(double part, int columns, bool unicode) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * columns * 8));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += unicode ? "█" : "#";
  int drawn = eighths / 8;
  if (unicode && eighths % 8 != 0) {
    bar += kEighths[eighths % 8];
    ++drawn;
  }
  for (; drawn < columns; ++drawn) bar += unicode ? "░" : ".";
  return bar;
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    if (!text.empty()) absl::StrAppend(&joined, joined.empty() ? "" : "  ", text);
  }
  return joined;
}

}  // namespace

std::string ClockText(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
  const int64_t minutes = seconds / 60;
  if (minutes < 60) return absl::StrFormat("%d:%02d", minutes, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", minutes / 60, minutes % 60, seconds % 60);
}

std::string ProgressText(const Progress& progress, int columns, bool unicode) {
  std::string label = Printable(progress.label);
  std::string users = UserCount(progress.users);
  std::string rate;
  std::string left;
  if (progress.users_per_second > 0)
    rate = absl::StrCat(WithThousands(std::llround(progress.users_per_second)), "/s");
  if (progress.part < 0) {
    std::string text = Joined({label, users, rate});
    if (DisplayWidth(text) > columns) text = Joined({users, rate});
    return DisplayWidth(text) > columns ? users : text;
  }
  if (progress.left < absl::InfiniteDuration()) left = ClockText(progress.left) + " left";
  // Rounded down: 100 % is all of it.
  const std::string percent = absl::StrFormat("%3d %%", static_cast<int>(progress.part * 100));
  const auto room = [&] {
    const std::string others = Joined({label, percent, users, rate, left});
    return columns - DisplayWidth(others) - 2;
  };
  for (std::string* const part : {&rate, &label, &users, &left}) {
    if (room() >= kBarMin) break;
    part->clear();
  }
  const std::string bar = Bar(progress.part, std::clamp(room(), 1, kBarMax), unicode);
  return Joined({label, bar, percent, users, rate, left});
}

ProgressMeter::ProgressMeter(std::string label, int64_t whole, int64_t done_before,
                             int64_t users_before, absl::Time now)
    : label_(std::move(label)),
      whole_(whole),
      done_before_(done_before),
      users_before_(users_before),
      start_(now) {}

Progress ProgressMeter::At(int64_t done, int64_t users, absl::Time now) const {
  Progress progress;
  progress.label = label_;
  progress.users = users;
  const double seconds = absl::ToDoubleSeconds(now - start_);
  const auto done_now = static_cast<double>(done - done_before_);
  // Of the first moments no rate can be told.
  if (seconds >= 0.5)
    progress.users_per_second = static_cast<double>(users - users_before_) / seconds;
  if (whole_ <= 0) return progress;
  progress.part = std::min(1.0, static_cast<double>(done) / static_cast<double>(whole_));
  if (seconds >= 0.5 && done_now > 0) {
    const auto to_do = static_cast<double>(std::max<int64_t>(0, whole_ - done));
    progress.left = absl::Seconds(to_do / done_now * seconds);
  }
  return progress;
}

bool ShowsProgress() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

ProgressLine::ProgressLine(ProgressMeter meter)
    : meter_(std::move(meter)), is_shown_(ShowsProgress()) {}

ProgressLine::~ProgressLine() { Clear(); }

void ProgressLine::Show(int64_t done, int64_t users) {
  if (!is_shown_) return;
  const absl::Time now = absl::Now();
  if (now < next_) return;
  next_ = now + kRedraw;
  is_drawn_ = true;
  // One column stays free: some terminals wrap when the last is written.
  const int columns = TerminalWidth(STDERR_FILENO) - 1;
  std::cerr << absl::StrCat(
      "\r", ProgressText(meter_.At(done, users, now), columns, ShowsUnicode()), "\x1b[K");
}

void ProgressLine::Clear() {
  if (std::exchange(is_drawn_, false)) std::cerr << "\r\x1b[K";
  next_ = absl::InfinitePast();
}

}  // namespace userservice::cli
