#include "async/thread_pool.h"

#include <sys/resource.h>

#include <stdexcept>
#include <thread>

#include "async/block_on.h"
#include "async/completion_loop.h"
#include "gtest/gtest.h"
#include "tests/support/notification.h"

namespace userservice {
namespace {

struct Threads {
  std::thread::id of_job;
  std::thread::id before;
  std::thread::id after;
};

Task<Threads> OffloadFromLoop(CompletionLoop& loop, ThreadPool& pool) {
  Threads threads;
  co_await loop.Schedule();
  threads.before = std::this_thread::get_id();
  auto job = [] { return std::this_thread::get_id(); };
  threads.of_job = *co_await Offload(pool, job);
  threads.after = std::this_thread::get_id();
  co_return threads;
}

TEST(Offload, RunsOnThePoolAndComesBackToTheLoopThatItLeft) {
  CompletionLoop loop(std::make_unique<grpc::CompletionQueue>(), "test");
  ThreadPool pool("pool", 2, 16);
  const Threads threads = BlockOn(OffloadFromLoop(loop, pool));
  EXPECT_EQ(threads.before, threads.after);
  EXPECT_NE(threads.before, threads.of_job);
}

template <class Function>
auto OffloadNow(ThreadPool& pool, Function& function)
    -> Task<std::optional<std::invoke_result_t<Function&>>> {
  co_return co_await Offload(pool, function);
}

TEST(Offload, GivesNothingAtOnceWhenTheQueueIsFull) {
  ThreadPool pool("pool", 1, 1);
  Notification release;
  Notification running;
  ASSERT_TRUE(pool.TrySubmit([&] {
    running.Notify();
    release.WaitForNotification();
  }));
  running.WaitForNotification();
  ASSERT_TRUE(pool.TrySubmit([] {}));
  EXPECT_EQ(pool.queued_jobs(), 1U);
  auto job = [] { return 1; };
  EXPECT_EQ(BlockOn(OffloadNow(pool, job)), std::nullopt);
  release.Notify();
}

TEST(Offload, RunsWithTheNicenessOfThePoolAlone) {
  const int before = getpriority(PRIO_PROCESS, 0);
  ThreadPool pool("pool", 1, 16, /*niceness=*/19);
  auto niceness = [] { return getpriority(PRIO_PROCESS, 0); };
  EXPECT_EQ(BlockOn(OffloadNow(pool, niceness)), 19);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(Offload, CarriesAnExceptionBack) {
  ThreadPool pool("pool", 1, 1);
  auto job = []() -> int { throw std::runtime_error("planted"); };
  EXPECT_THROW(BlockOn(OffloadNow(pool, job)), std::runtime_error);
}

TEST(ThreadPool, RunsWhatIsQueuedBeforeItEnds) {
  int ran = 0;
  {
    ThreadPool pool("pool", 1, 100);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.TrySubmit([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 100);
}

}  // namespace
}  // namespace userservice
