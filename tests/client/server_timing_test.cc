#include "client/server_timing.h"

#include "gtest/gtest.h"

namespace userservice::internal {
namespace {

TEST(ServerTiming, ReadsEachMetricWithItsDuration) {
  const auto spans = ParseServerTiming("queue;dur=0.012, sql;dur=0.345, total;dur=0.5");
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0].name, "queue");
  EXPECT_EQ(spans[0].duration, absl::Microseconds(12));
  EXPECT_EQ(spans[1].name, "sql");
  EXPECT_EQ(spans[1].duration, absl::Microseconds(345));
  EXPECT_EQ(spans[2].name, "total");
  EXPECT_EQ(spans[2].duration, absl::Microseconds(500));
}

TEST(ServerTiming, PassesOverDescriptionsAndMetricsWithoutADuration) {
  const auto spans = ParseServerTiming("cache;desc=hit, db;desc=\"all\";dur=53");
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].name, "db");
  EXPECT_EQ(spans[0].duration, absl::Milliseconds(53));
}

TEST(ServerTiming, OfRubbishIsEmpty) {
  EXPECT_TRUE(ParseServerTiming("").empty());
  EXPECT_TRUE(ParseServerTiming(",;=,;dur=1,x;dur=fast").empty());
}

}  // namespace
}  // namespace userservice::internal
