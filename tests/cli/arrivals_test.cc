#include "client/cli/bench/arrivals.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kStart = 5'000'000'000;

std::vector<int64_t> AfterStart(Arrivals arrivals, int count) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i, arrivals.Advance()) times.push_back(arrivals.next_ns() - kStart);
  return times;
}

TEST(ArrivalsTest, AreEvenlySpacedFromTheStart) {
  EXPECT_THAT(AfterStart(Arrivals(1000, kStart, 0, 1), 4),
              ElementsAre(0, 1'000'000, 2'000'000, 3'000'000));
}

TEST(ArrivalsTest, AreSharedByThreadsInTurn) {
  EXPECT_THAT(AfterStart(Arrivals(1000, kStart, 0, 3), 3), ElementsAre(0, 3'000'000, 6'000'000));
  EXPECT_THAT(AfterStart(Arrivals(1000, kStart, 2, 3), 3),
              ElementsAre(2'000'000, 5'000'000, 8'000'000));
}

TEST(ArrivalsTest, DoNotDriftWhereTheIntervalIsNoWholeNumber) {
  Arrivals arrivals(30'000, kStart, 0, 1);
  for (int i = 0; i < 30'000 * 60; ++i) arrivals.Advance();
  EXPECT_NEAR(static_cast<double>(arrivals.next_ns() - kStart), 60e9, 10);
}

TEST(ArrivalsTest, MayBeSlowerThanOneASecond) {
  EXPECT_THAT(AfterStart(Arrivals(0.5, kStart, 0, 1), 2), ElementsAre(0, 2'000'000'000));
}

}  // namespace
}  // namespace userservice::cli
