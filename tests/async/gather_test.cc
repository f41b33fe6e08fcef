#include "async/gather.h"

#include <stdexcept>
#include <string>

#include "async/block_on.h"
#include "async/completion_loop.h"
#include "gtest/gtest.h"
#include "tests/async/sequencer.h"

namespace userservice {
namespace {

using IntOr = absl::StatusOr<int>;

Task<IntOr> Value(int value) { co_return value; }
Task<IntOr> Fails(std::string message) { co_return absl::NotFoundError(message); }
Task<IntOr> AfterTurn(Sequencer& sequencer, int value) {
  co_await sequencer.Turn();
  co_return value;
}
Task<IntOr> FailsAfterTurn(Sequencer& sequencer, std::string message) {
  co_await sequencer.Turn();
  co_return absl::NotFoundError(message);
}
// Tells whether it was asked to stop by the time it goes on.
Task<IntOr> StoppedAfterTurn(Sequencer& sequencer, bool& stopped, bool& ended) {
  const std::stop_token stop = co_await CurrentStopToken();
  co_await sequencer.Turn();
  stopped = stop.stop_requested();
  ended = true;
  if (stopped) co_return absl::CancelledError("stopped");
  co_return 1;
}

template <class T>
struct Gathered {
  std::optional<T> result;
};
template <class T>
Task<> Keep(Task<T> task, Gathered<T>& into) {
  into.result.emplace(co_await std::move(task));
}

TEST(Gather, OfATupleGivesTheValuesInTheOrderOfTheArguments) {
  Sequencer sequencer;
  Gathered<absl::StatusOr<std::tuple<int, int, int>>> gathered;
  Spawn(Keep(Gather(AfterTurn(sequencer, 1), AfterTurn(sequencer, 2), Value(3)), gathered));
  ASSERT_EQ(sequencer.arrived(), 2U) << "all are started before any is awaited";
  sequencer.Release(1);
  EXPECT_FALSE(gathered.result.has_value());
  sequencer.Release(0);
  ASSERT_TRUE(gathered.result.has_value());
  EXPECT_EQ(**gathered.result, std::tuple(1, 2, 3));
}

TEST(Gather, OfAVectorGivesTheValuesInOrderWhateverTheOrderOfCompletion) {
  Sequencer sequencer;
  Gathered<absl::StatusOr<std::vector<int>>> gathered;
  std::vector<Task<IntOr>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(AfterTurn(sequencer, i));
  Spawn(Keep(Gather(std::move(tasks)), gathered));
  ASSERT_EQ(sequencer.arrived(), 5U);
  for (const size_t i : {3, 0, 4, 1, 2}) sequencer.Release(i);
  EXPECT_EQ(**gathered.result, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Gather, TakesPlainValuesAndStatusesToo) {
  const auto plain = [](int n) -> Task<int> { co_return n; };
  EXPECT_EQ(BlockOn(Gather(plain(1), plain(2))), std::tuple(1, 2));
  const auto status = []() -> Task<absl::Status> { co_return absl::OkStatus(); };
  const auto mixed = BlockOn(Gather(plain(1), status(), Value(2)));
  ASSERT_TRUE(mixed.ok());
  EXPECT_EQ(std::get<2>(*mixed), 2);
}

TEST(Gather, OfNothingIsDoneAtOnce) {
  EXPECT_EQ(*BlockOn(Gather(std::vector<Task<IntOr>>())), std::vector<int>());
  EXPECT_EQ(BlockOn(Gather()), std::tuple<>());
}

TEST(Gather, AFailureStopsTheSiblingsAndStillAwaitsThem) {
  Sequencer sequencer;
  bool stopped = false;
  bool ended = false;
  Gathered<absl::StatusOr<std::tuple<int, int>>> gathered;
  Spawn(Keep(Gather(StoppedAfterTurn(sequencer, stopped, ended), FailsAfterTurn(sequencer, "gone")),
             gathered));
  sequencer.Release(1);
  EXPECT_FALSE(gathered.result.has_value()) << "the sibling still runs";
  sequencer.Release(0);
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(ended);
  ASSERT_TRUE(gathered.result.has_value());
  EXPECT_EQ(gathered.result->status(), absl::NotFoundError("gone"))
      << "the first failure, not the sibling's CANCELLED";
}

TEST(Gather, AfterAFailureStartsNoFurtherTask) {
  Sequencer sequencer;
  std::vector<Task<IntOr>> tasks;
  tasks.push_back(FailsAfterTurn(sequencer, "first"));
  tasks.push_back(AfterTurn(sequencer, 1));
  tasks.push_back(AfterTurn(sequencer, 2));
  Gathered<absl::StatusOr<std::vector<int>>> gathered;
  Spawn(Keep(Gather(std::move(tasks), GatherOptions(2)), gathered));
  ASSERT_EQ(sequencer.arrived(), 2U) << "two in flight";
  sequencer.Release(0);
  EXPECT_EQ(sequencer.arrived(), 2U) << "the third never started";
  sequencer.Release(1);
  EXPECT_EQ(gathered.result->status(), absl::NotFoundError("first"));
}

TEST(Gather, KeepsAtMostMaxInFlightRunning) {
  Sequencer sequencer;
  std::vector<Task<IntOr>> tasks;
  for (int i = 0; i < 6; ++i) tasks.push_back(AfterTurn(sequencer, i));
  Gathered<absl::StatusOr<std::vector<int>>> gathered;
  Spawn(Keep(Gather(std::move(tasks), GatherOptions(2)), gathered));
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(sequencer.arrived(), std::min<size_t>(6, i + 2));
    sequencer.Release(i);
  }
  EXPECT_EQ(**gathered.result, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(GatherOutcomes, LetsAllRunAndGivesEachOutcome) {
  const auto outcomes = BlockOn(GatherOutcomes(Value(1), Fails("second"), Value(3)));
  EXPECT_EQ(*std::get<0>(outcomes), 1);
  EXPECT_EQ(std::get<1>(outcomes).status(), absl::NotFoundError("second"));
  EXPECT_EQ(*std::get<2>(outcomes), 3);

  std::vector<Task<IntOr>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(i % 2 == 0 ? Value(i) : Fails("odd"));
  const std::vector<IntOr> each = BlockOn(GatherOutcomes(std::move(tasks), GatherOptions(1)));
  ASSERT_EQ(each.size(), 4U);
  EXPECT_EQ(*each[2], 2);
  EXPECT_EQ(each[3].status(), absl::NotFoundError("odd"));
}

Task<IntOr> ThrowsAfterTurn(Sequencer& sequencer) {
  co_await sequencer.Turn();
  throw std::runtime_error("planted");
}

Task<std::string> WhatGatherThrows(Sequencer& sequencer, bool& stopped, bool& ended) {
  try {
    (void)co_await Gather(ThrowsAfterTurn(sequencer), StoppedAfterTurn(sequencer, stopped, ended));
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing was thrown";
}

TEST(Gather, AnExceptionStopsTheSiblingsAndLeavesAfterTheyEnded) {
  Sequencer sequencer;
  bool stopped = false;
  bool ended = false;
  Gathered<std::string> gathered;
  Spawn(Keep(WhatGatherThrows(sequencer, stopped, ended), gathered));
  sequencer.Release(0);
  EXPECT_FALSE(gathered.result.has_value());
  sequencer.Release(1);
  EXPECT_EQ(gathered.result, "planted");
  EXPECT_TRUE(stopped);
}

Task<bool> GatheredTaskSeesStop(std::stop_source& source) {
  const auto ask = [](std::stop_source& stop_source) -> Task<IntOr> {
    const std::stop_token stop = co_await CurrentStopToken();
    stop_source.request_stop();
    co_return stop.stop_requested() ? 1 : 0;
  };
  const auto gathered = co_await Gather(ask(source), ask(source));
  co_return std::get<0>(*gathered) == 1;
}

TEST(Gather, HandsTheStopOfTheAwaitingTaskDown) {
  std::stop_source source;
  EXPECT_TRUE(BlockOn(GatheredTaskSeesStop(source), source.get_token()));
}

TEST(Gather, TenThousandTasksDoNotGrowTheStack) {
  std::vector<Task<IntOr>> at_once;
  for (int i = 0; i < 10'000; ++i) at_once.push_back(Value(i));
  EXPECT_EQ(BlockOn(Gather(std::move(at_once)))->at(9'999), 9'999);

  std::vector<Task<IntOr>> one_by_one;
  for (int i = 0; i < 10'000; ++i) one_by_one.push_back(Value(i));
  EXPECT_EQ(BlockOn(Gather(std::move(one_by_one), GatherOptions(1)))->size(), 10'000U);

  Sequencer sequencer;
  std::vector<Task<IntOr>> later;
  for (int i = 0; i < 10'000; ++i) later.push_back(AfterTurn(sequencer, i));
  Gathered<absl::StatusOr<std::vector<int>>> gathered;
  Spawn(Keep(Gather(std::move(later)), gathered));
  for (size_t i = 10'000; i-- > 0;) sequencer.Release(i);
  EXPECT_EQ((*gathered.result)->size(), 10'000U);
}

Task<IntOr> OnLoop(CompletionLoop& loop, int value) {
  co_await loop.Schedule();
  co_return value;
}

TEST(Gather, TasksMayEndOnAnotherThreadWhileOthersAreStarted) {
  CompletionLoop loop(std::make_unique<grpc::CompletionQueue>(), "test");
  for (int round = 0; round < 200; ++round) {
    std::vector<Task<IntOr>> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(OnLoop(loop, i));
    ASSERT_EQ(BlockOn(Gather(std::move(tasks), GatherOptions(round % 2 == 0 ? 7 : 50)))->size(),
              50U);
  }
}

Task<IntOr> SleepsFor(CompletionLoop& loop, absl::Duration delay) {
  co_return co_await loop.Sleep(delay) ? 1 : 0;
}

TEST(Gather, TakesAsLongAsTheLongestNotAsTheSum) {
  CompletionLoop loop(std::make_unique<grpc::CompletionQueue>(), "test");
  std::vector<Task<IntOr>> tasks;
  for (int i = 1; i <= 20; ++i) tasks.push_back(SleepsFor(loop, absl::Milliseconds(10 * i)));
  const absl::Time start = absl::Now();
  ASSERT_TRUE(BlockOn(Gather(std::move(tasks))).ok());
  const absl::Duration took = absl::Now() - start;
  EXPECT_GE(took, absl::Milliseconds(195));
  EXPECT_LT(took, absl::Milliseconds(1050)) << "half of the sum of 2,100 ms";
}

}  // namespace
}  // namespace userservice
