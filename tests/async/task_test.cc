#include "async/task.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/statusor.h"
#include "async/block_on.h"
#include "async/stop.h"
#include "gtest/gtest.h"
#include "tests/async/sequencer.h"

namespace userservice {
namespace {

Task<int> Answer() { co_return 42; }
Task<int> Twice() { co_return 2 * co_await Answer(); }
Task<> SetTrue(bool& flag) {
  flag = true;
  co_return;
}

TEST(Task, GivesItsValueToWhoAwaitsIt) { EXPECT_EQ(BlockOn(Twice()), 84); }

TEST(Task, DoesNothingUntilItIsAwaited) {
  bool ran = false;
  Task<> task = SetTrue(ran);
  EXPECT_FALSE(ran);
  BlockOn(std::move(task));
  EXPECT_TRUE(ran);
}

Task<int> KeepsArgument(Counted) { co_return 1; }

TEST(Task, FreesItsArgumentsWhetherItRanOrNot) {
  int alive = 0;
  {
    const Task<int> never_awaited = KeepsArgument(Counted(alive));
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(BlockOn(KeepsArgument(Counted(alive))), 1);
  EXPECT_EQ(alive, 0);
}

Task<int> Throws() {
  throw std::runtime_error("planted");
  co_return 0;
}
Task<std::string> Catches() {
  try {
    co_await Throws();
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing was thrown";
}

TEST(Task, ThrowsWhereItIsAwaited) {
  EXPECT_EQ(BlockOn(Catches()), "planted");
  EXPECT_THROW(BlockOn(Throws()), std::runtime_error);
}

Task<absl::StatusOr<std::unique_ptr<int>>> MoveOnly() { co_return std::make_unique<int>(7); }

TEST(Task, CarriesMoveOnlyValues) { EXPECT_EQ(**BlockOn(MoveOnly()), 7); }

Task<int> SumOfTasks(int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += co_await Answer() - 41;
  co_return sum;
}

// With symmetric transfer alone this overflows the stack in debug and sanitizer builds of g++ 12.
TEST(Task, AMillionTasksThatCompleteAtOnceDoNotGrowTheStack) {
  EXPECT_EQ(BlockOn(SumOfTasks(1'000'000)), 1'000'000);
}

Task<int> AwaitsTurn(Sequencer& sequencer) {
  co_await sequencer.Turn();
  co_return 5;
}
Task<> StoresResult(Sequencer& sequencer, int& result) { result = co_await AwaitsTurn(sequencer); }

TEST(Task, ResumesItsAwaiterWhenItCompletesLater) {
  Sequencer sequencer;
  int result = 0;
  Spawn(StoresResult(sequencer, result));
  EXPECT_EQ(result, 0);
  sequencer.Release(0);
  EXPECT_EQ(result, 5);
}

Task<bool> StopWasRequested() {
  const std::stop_token stop = co_await CurrentStopToken();
  co_return stop.stop_requested();
}
Task<bool> AsksOneLevelDown() { co_return co_await StopWasRequested(); }

TEST(StopToken, IsHandedDownFromTheAwaitingTask) {
  std::stop_source source;
  EXPECT_FALSE(BlockOn(AsksOneLevelDown(), source.get_token()));
  source.request_stop();
  EXPECT_TRUE(BlockOn(AsksOneLevelDown(), source.get_token()));
  EXPECT_FALSE(BlockOn(AsksOneLevelDown()));
}

Task<bool> AsksUnder(std::stop_token token) {
  co_return co_await WithStopToken(std::move(token), AsksOneLevelDown());
}

TEST(StopToken, CanBeReplacedForOneTask) {
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(BlockOn(AsksUnder(source.get_token())));
}

}  // namespace
}  // namespace userservice
