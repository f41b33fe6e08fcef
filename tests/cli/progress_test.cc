#include "client/cli/progress.h"

#include "client/cli/text_width.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

const absl::Time kRunStart = absl::FromUnixSeconds(1'700'000'000);

Progress HalfwayThrough() {
  const ProgressMeter meter("people.csv", 1'000'000, 0, 0, kRunStart);
  return meter.At(520'000, 20'000, kRunStart + absl::Seconds(10));
}

TEST(ProgressText, FillsTheTerminal) {
  EXPECT_EQ(ProgressText(HalfwayThrough(), 79, true),
            "people.csv  █████████████▌░░░░░░░░░░░░   52 %  20,000 users  2,000/s  0:10 left");
  EXPECT_EQ(ProgressText(HalfwayThrough(), 79, false),
            "people.csv  #############.............   52 %  20,000 users  2,000/s  0:10 left");
}

TEST(ProgressText, LeavesOutWhatANarrowTerminalHasNoRoomFor) {
  EXPECT_EQ(ProgressText(HalfwayThrough(), 60, false),
            "people.csv  ########........   52 %  20,000 users  0:10 left");
  EXPECT_EQ(ProgressText(HalfwayThrough(), 39, false), "##########...........   52 %  0:10 left");
  for (int columns = 20; columns < 120; ++columns) {
    for (const bool unicode : {false, true})
      EXPECT_LE(DisplayWidth(ProgressText(HalfwayThrough(), columns, unicode)), columns) << columns;
  }
}

TEST(ProgressText, IsWholeOnlyAtTheEnd) {
  const ProgressMeter meter("f", 1000, 0, 0, kRunStart);
  EXPECT_NE(ProgressText(meter.At(999, 1, kRunStart), 60, false).find(" 99 %"), std::string::npos);
  EXPECT_NE(ProgressText(meter.At(1000, 1, kRunStart), 60, false).find("100 %"), std::string::npos);
}

TEST(ProgressText, OfAPipeHasNoBar) {
  const ProgressMeter meter("standard input", 0, 0, 0, kRunStart);
  EXPECT_EQ(ProgressText(meter.At(5'000'000, 20'000, kRunStart + absl::Seconds(2)), 79, true),
            "standard input  20,000 users  10,000/s");
}

TEST(ProgressText, ShowsNoControlCharactersOfAFilesName) {
  const ProgressMeter meter("a\x1b[2Jb", 10, 0, 0, kRunStart);
  EXPECT_EQ(ProgressText(meter.At(1, 1, kRunStart), 79, true).find('\x1b'), std::string::npos);
}

TEST(ProgressMeter, TellsNoRateInTheFirstMoment) {
  const ProgressMeter meter("f", 1000, 0, 0, kRunStart);
  const Progress progress = meter.At(10, 10, kRunStart + absl::Milliseconds(10));
  EXPECT_EQ(progress.users_per_second, 0);
  EXPECT_EQ(progress.left, absl::InfiniteDuration());
}

TEST(ProgressMeter, CountsTheTimeOfThisRunAlone) {
  const ProgressMeter meter("f", 1000, 800, 80, kRunStart);
  const Progress progress = meter.At(900, 90, kRunStart + absl::Seconds(5));
  EXPECT_DOUBLE_EQ(progress.part, 0.9);
  EXPECT_DOUBLE_EQ(progress.users_per_second, 2);
  EXPECT_EQ(progress.left, absl::Seconds(5));
}

TEST(ClockText, IsHoursMinutesAndSecondsRoundedUp) {
  EXPECT_EQ(ClockText(absl::ZeroDuration()), "0:00");
  EXPECT_EQ(ClockText(absl::Milliseconds(100)), "0:01");
  EXPECT_EQ(ClockText(absl::Seconds(59)), "0:59");
  EXPECT_EQ(ClockText(absl::Seconds(3599)), "59:59");
  EXPECT_EQ(ClockText(absl::Seconds(3722)), "1:02:02");
}

}  // namespace
}  // namespace userservice::cli
