#include "service/store/drain_rate.h"

#include <gtest/gtest.h>

namespace userservice::store {
namespace {

// `jobs` of `rows` each, and the commit.
DrainRate::Batch BatchOf(size_t jobs, size_t rows, absl::Duration job, absl::Duration commit) {
  DrainRate::Batch batch;
  for (size_t i = 0; i < jobs; ++i) batch.AddJob(rows, job);
  batch.commit = commit;
  return batch;
}

DrainRate Measured(DrainRate rate, const DrainRate::Batch& batch, int times = 40) {
  for (int i = 0; i < times; ++i) rate.Measure(batch);
  return rate;
}

TEST(DrainRate, PredictsNothingBeforeItWasMeasured) {
  const DrainRate rate(10);
  EXPECT_EQ(rate.TimeFor(1000, 1000), absl::ZeroDuration());
}

TEST(DrainRate, ChargesACommitForEachBatchThatIsBegun) {
  const DrainRate rate =
      Measured(DrainRate(10), BatchOf(1, 1, absl::Milliseconds(1), absl::Milliseconds(5)));
  const auto milliseconds = [&](size_t jobs) {
    return absl::ToDoubleMilliseconds(rate.TimeFor(jobs, jobs));
  };
  EXPECT_EQ(milliseconds(0), 0);
  EXPECT_NEAR(milliseconds(1), 1 + 5, 0.01);
  EXPECT_NEAR(milliseconds(10), 10 + 5, 0.01);
  EXPECT_NEAR(milliseconds(11), 11 + 10, 0.01);
}

TEST(DrainRate, TellsTheCostOfAJobFromThatOfItsRows) {
  DrainRate rate(10'000);
  DrainRate::Batch batch;
  batch.AddJob(1, absl::Microseconds(100));
  batch.AddJob(1001, absl::Microseconds(100 + 1000 * 20));
  rate = Measured(rate, batch);
  EXPECT_NEAR(absl::ToDoubleMicroseconds(rate.TimeFor(50, 50)), 50 * 100, 10);
  EXPECT_NEAR(absl::ToDoubleMicroseconds(rate.TimeFor(2, 2002)), 2 * 100 + 2000 * 20, 100);
}

TEST(DrainRate, ASlowWriteOfOneRowTellsNothingOfThousands) {
  DrainRate rate(10'000);
  rate.Measure(BatchOf(1, 1, absl::Seconds(1), absl::ZeroDuration()));
  EXPECT_LT(rate.TimeFor(1, 1000), absl::Seconds(1));
}

TEST(DrainRate, ASlowWriteOfAFewRowsTellsLittleOfThousands) {
  DrainRate rate(10'000);
  rate.Measure(BatchOf(1, 1000, absl::Milliseconds(20), absl::ZeroDuration()));
  rate.Measure(BatchOf(1, 2, absl::Milliseconds(300), absl::ZeroDuration()));
  EXPECT_LT(rate.TimeFor(1, 1000), absl::Seconds(2));
  rate.Measure(BatchOf(1, 1000, absl::Milliseconds(20), absl::ZeroDuration()));
  EXPECT_LT(rate.TimeFor(1, 1000), absl::Milliseconds(400));
}

TEST(DrainRate, WhatDoesNotFitIntoTheTimeOfABatchTakesMoreCommits) {
  const DrainRate::Batch batch = BatchOf(1, 1, absl::Milliseconds(10), absl::Milliseconds(5));
  const DrainRate by_rows = Measured(DrainRate(100), batch);
  const DrainRate by_time = Measured(DrainRate(100, absl::Milliseconds(50)), batch);
  EXPECT_EQ(by_time.TimeFor(1, 1), by_rows.TimeFor(1, 1));
  const absl::Duration longer = by_time.TimeFor(20, 20) - by_rows.TimeFor(20, 20);
  EXPECT_GT(longer, absl::Milliseconds(14));  // 200 ms of statements: 4 commits for 1
  EXPECT_LT(longer, absl::Milliseconds(16));
}

TEST(DrainRate, AJobTakesOneCommitHoweverLongItsStatements) {
  const DrainRate::Batch batch = BatchOf(1, 1000, absl::Milliseconds(200), absl::Milliseconds(60));
  const DrainRate by_rows = Measured(DrainRate(4096), batch);
  const DrainRate by_time = Measured(DrainRate(4096, absl::Milliseconds(50)), batch);
  EXPECT_EQ(by_time.TimeFor(1, 1000), by_rows.TimeFor(1, 1000));
  EXPECT_GT(by_time.TimeFor(2, 2000), by_rows.TimeFor(2, 2000));
}

TEST(DrainRate, NoticesAStallAtOnceAndForgetsIt) {
  DrainRate rate(10);
  rate.Measure(BatchOf(1, 1, absl::Milliseconds(1), absl::Seconds(10)));
  EXPECT_GT(rate.TimeFor(1, 1), absl::Seconds(2));
  rate = Measured(rate, BatchOf(1, 1, absl::Milliseconds(1), absl::Milliseconds(1)));
  EXPECT_LT(rate.TimeFor(1, 1), absl::Milliseconds(3));
}

TEST(DrainRate, ABatchOfManyJobsTellsMoreThanOneJob) {
  DrainRate rate(1000);
  rate.Measure(BatchOf(1, 1, absl::Seconds(1), absl::ZeroDuration()));
  rate.Measure(BatchOf(1000, 1, absl::Microseconds(50), absl::ZeroDuration()));
  EXPECT_LT(rate.TimeFor(1, 1), absl::Milliseconds(1));
}

TEST(DrainRate, ABatchInWhichNothingWasDoneTellsOfItsCommitOnly) {
  const DrainRate before =
      Measured(DrainRate(10), BatchOf(1, 1, absl::Milliseconds(1), absl::ZeroDuration()));
  const DrainRate after = Measured(before, DrainRate::Batch());
  EXPECT_EQ(after.TimeFor(5, 5), before.TimeFor(5, 5));
}

}  // namespace
}  // namespace userservice::store
