#include "client/cli/bench/histogram.h"

#include <algorithm>
#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

TEST(LatencyHistogramTest, IsZeroWithoutValues) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.ValueAt(50), 0);
  EXPECT_EQ(histogram.min_ns(), 0);
  EXPECT_EQ(histogram.max_ns(), 0);
  EXPECT_EQ(histogram.mean_ns(), 0);
  EXPECT_TRUE(histogram.Distribution().empty());
}

TEST(LatencyHistogramTest, KnowsSmallValuesExactly) {
  LatencyHistogram histogram;
  for (int64_t value = 1; value <= 100; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.ValueAt(0), 1);
  EXPECT_EQ(histogram.ValueAt(50), 50);
  EXPECT_EQ(histogram.ValueAt(99), 99);
  EXPECT_EQ(histogram.ValueAt(99.1), 100);
  EXPECT_EQ(histogram.ValueAt(100), 100);
  EXPECT_DOUBLE_EQ(histogram.mean_ns(), 50.5);
}

TEST(LatencyHistogramTest, KnowsEveryValueToOneIn256AndNeverTellsLess) {
  for (int64_t value = 1; value <= LatencyHistogram::kMaxNs / 7; value = value * 7 + 3) {
    LatencyHistogram histogram;
    histogram.Record(value);
    histogram.Record(LatencyHistogram::kMaxNs);
    EXPECT_GE(histogram.ValueAt(50), value);
    EXPECT_LE(histogram.ValueAt(50), value + value / 256) << value;
  }
}

TEST(LatencyHistogramTest, TellsThePercentilesOfASortedList) {
  LatencyHistogram histogram;
  std::vector<int64_t> values;
  uint64_t random = 1;
  for (int i = 0; i < 10'000; ++i) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    values.push_back(static_cast<int64_t>(random >> 36U));
    histogram.Record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percentile : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<size_t>(std::ceil(percentile * 100));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.ValueAt(percentile)), exact, exact / 200)
        << percentile;
  }
}

TEST(LatencyHistogramTest, CountsWhatIsTooLongAsTheLongest) {
  LatencyHistogram histogram;
  histogram.Record(LatencyHistogram::kMaxNs + 1);
  histogram.Record(-1);
  EXPECT_EQ(histogram.max_ns(), LatencyHistogram::kMaxNs);
  EXPECT_EQ(histogram.min_ns(), 0);
  EXPECT_EQ(histogram.ValueAt(100), LatencyHistogram::kMaxNs);
}

TEST(LatencyHistogramTest, AddsUpWhatThreadsCounted) {
  LatencyHistogram one;
  LatencyHistogram other;
  for (int i = 0; i < 90; ++i) one.Record(1'000);
  for (int i = 0; i < 10; ++i) other.Record(1'000'000);
  one.Add(other);
  EXPECT_EQ(one.count(), 100);
  EXPECT_EQ(one.min_ns(), 1'000);
  EXPECT_EQ(one.max_ns(), 1'000'000);
  EXPECT_NEAR(static_cast<double>(one.ValueAt(90)), 1'000, 4);
  EXPECT_EQ(one.ValueAt(91), 1'000'000);
}

TEST(LatencyHistogramTest, DistributesUpToTheMaximum) {
  LatencyHistogram histogram;
  for (int64_t value = 1; value <= 1000; ++value) histogram.Record(value * 1000);
  const std::vector<LatencyHistogram::Point> points = histogram.Distribution();
  ASSERT_GT(points.size(), 20U);
  EXPECT_EQ(points.front().percentile, 0);
  EXPECT_EQ(points.back().percentile, 100);
  EXPECT_EQ(points.back().value_ns, 1'000'000);
  for (size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].percentile, points[i - 1].percentile);
    EXPECT_GE(points[i].value_ns, points[i - 1].value_ns);
  }
}

}  // namespace
}  // namespace userservice::cli
