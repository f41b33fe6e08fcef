#include "client/cli/gather/timeline.h"

#include "client/cli/text_width.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

// A plot of 20 columns: one is 5 ms of 100.
TimelineStyle Narrow() {
  TimelineStyle style;
  style.label_width = 4;
  style.width = 4 + 2 + 20 + 11;
  return style;
}

Interval Ms(double start, double end) {
  return {absl::Milliseconds(start), absl::Milliseconds(end)};
}

std::string Draw(const std::vector<Interval>& calls, const TimelineStyle& style = Narrow()) {
  return DrawRows({{"row", Colour::kGreen, calls}}, absl::Milliseconds(100), style);
}

TEST(Timeline, PutsABarWhereTheCallWas) {
  EXPECT_EQ(Draw({Ms(0, 50)}), "row   ██████████              50.0 ms\n");
  EXPECT_EQ(Draw({Ms(50, 100)}), "row             ██████████    50.0 ms\n");
}

TEST(Timeline, DrawsEdgesInPartsOfAColumn) {
  EXPECT_EQ(Draw({Ms(0, 7.5)}), "row   █▌                      7.50 ms\n");
  EXPECT_EQ(Draw({Ms(2.5, 10)}), "row   ▐█                      7.50 ms\n");
}

TEST(Timeline, ShowsEvenTheShortestCall) {
  EXPECT_EQ(Draw({Ms(50, 50.001)}), "row             ▏             0.00 ms\n");
}

TEST(Timeline, DrawsCallsOneAfterAnotherAsOneBar) {
  EXPECT_EQ(Draw({Ms(0, 24.999), Ms(25, 50)}), Draw({Ms(0, 50)}));
}

TEST(Timeline, ShadesByHowManyAreInFlight) {
  EXPECT_EQ(Draw({Ms(0, 100), Ms(0, 50)}), "row   ██████████▒▒▒▒▒▒▒▒▒▒     100 ms\n");
  EXPECT_EQ(Draw({Ms(0, 100), Ms(0, 75), Ms(0, 75), Ms(0, 75), Ms(0, 75), Ms(0, 50)}),
            "row   ██████████▓▓▓▓▓░░░░░     100 ms\n");
}

TEST(Timeline, IsTheSameInWhateverOrderTheCallsCome) {
  EXPECT_EQ(Draw({Ms(40, 60), Ms(0, 20), Ms(10, 50)}), Draw({Ms(0, 20), Ms(10, 50), Ms(40, 60)}));
}

TEST(Timeline, IsAsciiWhereTheTerminalIs) {
  TimelineStyle style = Narrow();
  style.unicode = false;
  EXPECT_EQ(Draw({Ms(0, 50)}, style), "row   ##########              50.0 ms\n");
  const std::string axis = DrawAxis(absl::Milliseconds(100), style);
  for (const char c : axis) EXPECT_LT(static_cast<unsigned char>(c), 0x80) << axis;
}

TEST(Timeline, ColoursTheBarAlone) {
  TimelineStyle style = Narrow();
  style.colours = true;
  EXPECT_EQ(Draw({Ms(0, 100)}, style), "row   \x1b[32m████████████████████\x1b[0m     100 ms\n");
}

TEST(Timeline, HasAnAxisOfRoundTimesUnderItsScale) {
  EXPECT_EQ(DrawAxis(absl::Milliseconds(100), Narrow()),
            "      0 ms      50\n"
            "      ├─────────┼─────────┤\n");
}

TEST(Timeline, FillsItsWidthExactly) {
  for (const int width : {80, 100, 140}) {
    TimelineStyle style;
    style.width = width;
    std::string row =
        DrawRows({{"row", Colour::kNone, {Ms(0, 100)}}}, absl::Milliseconds(100), style);
    row.pop_back();
    EXPECT_EQ(DisplayWidth(row), width);
  }
}

TEST(MillisecondsTest, HasThreeDigitsOrMore) {
  EXPECT_EQ(Milliseconds(absl::Microseconds(420)), "0.42 ms");
  EXPECT_EQ(Milliseconds(absl::Microseconds(21300)), "21.3 ms");
  EXPECT_EQ(Milliseconds(absl::Milliseconds(512)), "512 ms");
  EXPECT_EQ(Milliseconds(absl::Milliseconds(2051)), "2,051 ms");
}

}  // namespace
}  // namespace userservice::cli
