#include "client/cli/gather/trace.h"

#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

struct Span {
  std::string name;
  std::string category;
  double start;
  double end;
};
using Track = std::pair<int, int>;  // pid, tid

Interval Us(double start, double end) {
  return {absl::Microseconds(start), absl::Microseconds(end)};
}

// Each event is a line. That the whole is JSON is seen by the test of the program, in Python.
std::map<Track, std::vector<Span>> SpansOf(const std::string& trace) {
  static const std::regex span(
      R"re(\{"ph": "X", "name": "(.*)", "cat": "(\w+)", "pid": (\d+), "tid": (\d+), "ts": ([\d.]+), "dur": ([\d.]+)\},?)re");
  std::map<Track, std::vector<Span>> spans;
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, span)) continue;
    const double start = std::stod(match[5]);
    spans[{std::stoi(match[3]), std::stoi(match[4])}].push_back(
        {match[1], match[2], start, start + std::stod(match[6])});
  }
  return spans;
}

class Trace : public ::testing::Test {
 protected:
  Trace() : plan_(MakePlan({})) {
    plan_.resize(2);
    sequential_.calls = {Us(0, 1000), Us(1000.25, 3000)};
    gathered_.calls = {Us(0, 1500), Us(10, 2000)};
    const std::vector<ServerSpan> spans = {{"queue", absl::Microseconds(100)},
                                           {"sql", absl::Microseconds(250)},
                                           {"total", absl::Microseconds(400)}};
    sequential_.server_spans = {spans, spans};
    gathered_.server_spans = {spans, {}};
  }

  std::map<Track, std::vector<Span>> Write() const {
    std::ostringstream out;
    WriteTrace(out, plan_, sequential_, gathered_);
    return SpansOf(out.str());
  }

  std::vector<PlannedCall> plan_;
  MeasuredRun sequential_;
  MeasuredRun gathered_;
};

TEST_F(Trace, HasOneTrackInSequenceAndOneForEachCallInFlight) {
  const auto spans = Write();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans.at({1, 1}).size(), 8U);
  EXPECT_EQ(spans.at({2, 1}).size(), 4U);
  ASSERT_EQ(spans.at({2, 2}).size(), 1U) << "that server told nothing";
  EXPECT_EQ(spans.at({2, 2})[0].name, "age > 25");
  EXPECT_EQ(spans.at({2, 2})[0].start, 10);
}

TEST_F(Trace, NestsTheServersSpansInTheMiddleOfTheClients) {
  const std::vector<Span> spans = Write().at({2, 1});
  EXPECT_EQ(spans[0].category, "client");
  EXPECT_EQ(spans[1].name, "server");
  EXPECT_EQ(spans[1].start, 550);
  EXPECT_EQ(spans[1].end, 950);
  EXPECT_EQ(spans[2].name, "queue");
  EXPECT_EQ(spans[2].start, 550);
  EXPECT_EQ(spans[2].end, 650);
  EXPECT_EQ(spans[3].name, "sql");
  EXPECT_EQ(spans[3].start, 650);
  EXPECT_EQ(spans[3].end, 900);
}

TEST_F(Trace, KeepsThemInsideEvenIfTheServersClockRunsFast) {
  gathered_.server_spans[0] = {
      {"queue", absl::Seconds(1)}, {"sql", absl::Seconds(1)}, {"total", absl::Seconds(2)}};
  const std::vector<Span> spans = Write().at({2, 1});
  ASSERT_EQ(spans.size(), 4U);
  for (const Span& span : spans) {
    EXPECT_GE(span.start, 0);
    EXPECT_LE(span.end, 1500);
  }
}

TEST_F(Trace, SurvivesAServerThatSendsOddNames) {
  gathered_.server_spans[0] = {{"a\"b\n\xff", absl::Microseconds(1)},
                               {"total", absl::Microseconds(2)}};
  EXPECT_EQ(Write().at({2, 1})[2].name, R"(a\"b)"
                                        "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace userservice::cli
