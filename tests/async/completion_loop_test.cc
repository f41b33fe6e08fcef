#include "async/completion_loop.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "async/block_on.h"
#include "async/stop.h"
#include "gtest/gtest.h"

namespace userservice {
namespace {

std::unique_ptr<grpc::CompletionQueue> Queue() { return std::make_unique<grpc::CompletionQueue>(); }

Task<Executor*> CurrentOn(CompletionLoop& loop) {
  co_await loop.Schedule();
  co_return Executor::Current();
}

TEST(CompletionLoop, IsTheCurrentExecutorOfItsThread) {
  CompletionLoop loop(Queue(), "test");
  EXPECT_EQ(BlockOn(CurrentOn(loop)), &loop);
  EXPECT_EQ(Executor::Current(), nullptr);
}

TEST(CompletionLoop, RunsWhatManyThreadsPostOnceAndInEachOnesOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 20'000;
  std::vector<int> last(kThreads, -1);
  std::atomic<int> out_of_order{0};
  {
    CompletionLoop loop(Queue(), "test");
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kPosts; ++i) {
          loop.Post([&, t, i] {
            if (last[static_cast<size_t>(t)] != i - 1) ++out_of_order;
            last[static_cast<size_t>(t)] = i;
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    loop.Close();
  }
  EXPECT_EQ(out_of_order, 0);
  EXPECT_EQ(last, std::vector<int>(kThreads, kPosts - 1)) << "Close runs what was posted";
}

TEST(CompletionLoop, WhatWaitsForItToBeIdleRunsOnceWhenItIs) {
  CompletionLoop loop(Queue(), "test");
  std::atomic<int> runs{0};
  loop.Post([&] { loop.WhenIdle([&] { ++runs; }); });
  loop.WaitUntilIdle();
  EXPECT_EQ(runs, 1);
  loop.WaitUntilIdle();
  EXPECT_EQ(runs, 1);
}

Task<bool> IdleWorkRunsOnABusyLoop(CompletionLoop& loop) {
  co_await loop.Schedule();
  const auto ran = std::make_shared<bool>(false);
  loop.WhenIdle([ran] { *ran = true; });
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  while (!*ran && absl::Now() < give_up) co_await loop.Schedule();
  co_return *ran;
}

TEST(CompletionLoop, WhatWaitsForItToBeIdleRunsSoonThoughItNeverIs) {
  CompletionLoop loop(Queue(), "test");
  EXPECT_TRUE(BlockOn(IdleWorkRunsOnABusyLoop(loop)));
}

TEST(CompletionLoop, WhatWaitsForItToBeIdleRunsBetweenTwoLongFunctionsOfOneInbox) {
  CompletionLoop loop(Queue(), "test");
  bool ran = false;
  bool ran_in_between = false;
  internal::Latch done;
  loop.Post([&] {  // while it runs the others gather
    loop.Post([&] {
      loop.WhenIdle([&ran] { ran = true; });
      const absl::Time end = absl::Now() + absl::Milliseconds(2);
      while (absl::Now() < end) {
      }
    });
    loop.Post([&] {
      ran_in_between = ran;
      done.Set();
    });
  });
  done.Wait();
  EXPECT_TRUE(ran_in_between);
}

TEST(CompletionLoop, TheBurstIsOverBeforeTheLoopIsIdle) {
  CompletionLoop loop(Queue(), "test");
  std::vector<std::string> order;
  loop.Post([&] {
    loop.WhenIdle([&] { order.emplace_back("idle"); });
    loop.AfterBurst([&] { order.emplace_back("after the burst"); });
    loop.Post([&] { order.emplace_back("what was at hand"); });
  });
  loop.WaitUntilIdle();
  EXPECT_EQ(order, (std::vector<std::string>{"what was at hand", "after the burst", "idle"}));
}

TEST(CompletionLoop, CloseRunsWhatWaitsForItToBeIdle) {
  bool ran = false;
  {
    CompletionLoop loop(Queue(), "test");
    loop.Post([&] { loop.WhenIdle([&] { loop.AfterBurst([&] { ran = true; }); }); });
    loop.Close();
  }
  EXPECT_TRUE(ran);
}

Task<bool> SleepOn(CompletionLoop& loop, absl::Duration delay) {
  co_return co_await loop.Sleep(delay);
}

TEST(CompletionLoop, SleepEndsAfterItsTime) {
  CompletionLoop loop(Queue(), "test");
  const absl::Time start = absl::Now();
  EXPECT_TRUE(BlockOn(SleepOn(loop, absl::Milliseconds(20))));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(19));
}

TEST(CompletionLoop, AStopEndsASleepAtOnce) {
  CompletionLoop loop(Queue(), "test");
  for (int i = 0; i < 200; ++i) {
    std::stop_source source;
    std::thread stopper([&] { source.request_stop(); });
    EXPECT_FALSE(BlockOn(SleepOn(loop, absl::Hours(1)), source.get_token()));
    stopper.join();
  }
}

TEST(CompletionLoopDeathTest, PostingAfterCloseIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        CompletionLoop loop(Queue(), "test");
        loop.Close();
        loop.Post([] {});
      },
      "outlived the loop");
}

}  // namespace
}  // namespace userservice
