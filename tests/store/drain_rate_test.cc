#include "service/store/drain_rate.h"

#include <gtest/gtest.h>

namespace userservice::store {
namespace {

TEST(DrainRate, PredictsNothingBeforeItWasMeasured) {
  const DrainRate rate(10);
  EXPECT_EQ(rate.TimeFor(1000), absl::ZeroDuration());
}

TEST(DrainRate, ChargesACommitForEachBatchThatIsBegun) {
  DrainRate rate(10);
  rate.Measure(1, absl::Milliseconds(1), absl::Milliseconds(5));
  EXPECT_EQ(rate.TimeFor(0), absl::ZeroDuration());
  EXPECT_EQ(rate.TimeFor(1), absl::Milliseconds(1 + 5));
  EXPECT_EQ(rate.TimeFor(10), absl::Milliseconds(10 + 5));
  EXPECT_EQ(rate.TimeFor(11), absl::Milliseconds(11 + 10));
}

TEST(DrainRate, PredictsWritesOfManyRowsFromWritesOfOne) {
  DrainRate rate(1000);
  for (int i = 0; i < 3; ++i) rate.Measure(1, absl::Microseconds(20), absl::Milliseconds(2));
  EXPECT_EQ(rate.TimeFor(5 * 1000), 5 * (1000 * absl::Microseconds(20) + absl::Milliseconds(2)));
}

TEST(DrainRate, ForgetsAStall) {
  DrainRate rate(10);
  rate.Measure(1, absl::Milliseconds(1), absl::Seconds(10));
  EXPECT_GT(rate.TimeFor(1), absl::Seconds(9));
  for (int i = 0; i < 40; ++i) rate.Measure(1, absl::Milliseconds(1), absl::Milliseconds(1));
  EXPECT_LT(rate.TimeFor(1), absl::Milliseconds(3));
}

TEST(DrainRate, IgnoresBatchesWithoutRows) {
  DrainRate rate(10);
  rate.Measure(0, absl::Seconds(1), absl::Seconds(1));
  EXPECT_EQ(rate.TimeFor(1), absl::ZeroDuration());
}

}  // namespace
}  // namespace userservice::store
