#include "client/cli/gather/report.h"

#include <algorithm>
#include <sstream>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/text_width.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Every call takes 20 ms, in sequence and gathered.
GatherReport TwentyMillisecondsEach() {
  GatherReport report;
  report.server = "127.0.0.1:50051";
  report.users = 100'000;
  report.round_trip = absl::Milliseconds(20);
  std::vector<int64_t> ids(100);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i) + 1;
  report.plan = MakePlan(ids);
  for (size_t i = 0; i < report.plan.size(); ++i) {
    const absl::Duration start = absl::Milliseconds(20) * static_cast<int64_t>(i);
    report.sequential.calls.push_back({start, start + absl::Milliseconds(20)});
    report.gathered.calls.push_back({absl::ZeroDuration(), absl::Milliseconds(20)});
    for (MeasuredRun* const run : {&report.sequential, &report.gathered}) {
      run->answers.emplace_back(users::v1::User());
      run->server_spans.push_back(
          {{"sql", absl::Microseconds(50)}, {"total", absl::Microseconds(80)}});
      run->total = run->calls.back().end;
    }
  }
  report.summary = Summarize(report.plan, report.sequential, report.gathered);
  return report;
}

std::string Printed(const GatherReport& report, const ReportStyle& style = ReportStyle()) {
  std::ostringstream out;
  PrintReport(out, report, style);
  return out.str();
}

TEST(Report, GivesEachKindItsTimesAndTheSpeedUp) {
  const std::string text = Printed(TwentyMillisecondsEach());
  EXPECT_THAT(
      text, HasSubstr("lists of users                 3            60.0 ms   20.0 ms      3.0x\n"));
  EXPECT_THAT(
      text, HasSubstr("counts of a decade of age     11             220 ms   20.0 ms     11.0x\n"));
  EXPECT_THAT(
      text, HasSubstr("reads of one user            100           2,000 ms   20.0 ms      100x\n"));
  EXPECT_THAT(
      text, HasSubstr("all together                 114           2,280 ms   20.0 ms      114x\n"));
}

TEST(Report, SaysThatThereIsARelayAndWhy) {
  GatherReport report = TwentyMillisecondsEach();
  const std::string text = absl::StrReplaceAll(Printed(report), {{"\n", " "}});
  EXPECT_THAT(
      text,
      HasSubstr("--rtt=20ms: a relay in this program holds every byte back for 10ms each way"));
  EXPECT_THAT(text, HasSubstr("because loopback has no distance"));
  report.round_trip = absl::ZeroDuration();
  EXPECT_THAT(Printed(report), Not(HasSubstr("relay")));
}

TEST(Report, EndsWithTheSpeedUpAndWhetherTheAnswersAgree) {
  GatherReport report = TwentyMillisecondsEach();
  EXPECT_THAT(Printed(report),
              HasSubstr("Both runs gave the same answers. Gathered, the 100 reads took 20.0 ms "
                        "instead of 2,000 ms: 100x as\nfast; all 114 RPCs 114x.\n"));
  report.summary.differences = {"user 1"};
  EXPECT_THAT(Printed(report), HasSubstr("1 answers differ"));
}

TEST(Report, FitsTheTerminalAndOneScreen) {
  for (const int width : {80, 100, 140}) {
    ReportStyle style;
    style.width = width;
    const std::string text = Printed(TwentyMillisecondsEach(), style);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40);
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(DisplayWidth({line.data(), line.size()}), width) << line;
    }
  }
}

TEST(Report, WorksWithoutAnyUser) {
  GatherReport report = TwentyMillisecondsEach();
  report.plan = MakePlan({});
  for (MeasuredRun* const run : {&report.sequential, &report.gathered})
    run->calls.resize(report.plan.size());
  report.summary = Summarize(report.plan, report.sequential, report.gathered);
  EXPECT_THAT(Printed(report), HasSubstr("all 14 RPCs"));
  EXPECT_THAT(Printed(report), Not(HasSubstr("reads")));
}

TEST(Report, AsJsonHasEveryCallInBothRuns) {
  std::ostringstream out;
  PrintReportJson(out, TwentyMillisecondsEach());
  const std::string json = out.str();
  EXPECT_THAT(json, HasSubstr(R"("added_rtt_ms": 20.000)"));
  EXPECT_THAT(json, HasSubstr(R"("same_answers": true)"));
  EXPECT_THAT(
      json,
      HasSubstr(
          R"({"kind": "get", "calls": 100, "sequential_ms": 2000.000, "gathered_ms": 20.000, )"
          R"("speed_up": 100.00})"));
  EXPECT_THAT(json, HasSubstr(R"({"kind": "get", "label": "user 100", )"
                              R"("sequential": {"start_ms": 2260.000, "end_ms": 2280.000, )"
                              R"("server_ms": {"sql": 0.050, "total": 0.080}}, )"
                              R"("gathered": {"start_ms": 0.000, "end_ms": 20.000, )"));
}

TEST(Report, AsCsvIsALineAKind) {
  std::ostringstream out;
  PrintReportCsv(out, TwentyMillisecondsEach());
  EXPECT_EQ(out.str(),
            "kind,calls,sequential_ms,gathered_ms,speed_up\r\n"
            "list,3,60.000,20.000,3.00\r\n"
            "count,11,220.000,20.000,11.00\r\n"
            "get,100,2000.000,20.000,100.00\r\n"
            "all,114,2280.000,20.000,114.00\r\n");
}

}  // namespace
}  // namespace userservice::cli
