#include "async/broadcast.h"

#include <thread>

#include "absl/time/clock.h"
#include "async/block_on.h"
#include "async/stop.h"
#include "gtest/gtest.h"

namespace userservice {
namespace {

Task<bool> Await(Broadcast& broadcast, int64_t at_least) {
  co_return co_await broadcast.WaitFor(at_least);
}
Task<> Record(Broadcast& broadcast, int64_t at_least, std::vector<int64_t>& reached) {
  const bool is_reached = co_await broadcast.WaitFor(at_least);
  if (is_reached) reached.push_back(at_least);
}

TEST(Broadcast, ResumesWhoWaitedForAValueThatIsReached) {
  Broadcast broadcast(3);
  std::vector<int64_t> reached;
  Spawn(Record(broadcast, 3, reached));
  EXPECT_EQ(reached, (std::vector<int64_t>{3})) << "at once, as it is there";
  Spawn(Record(broadcast, 5, reached));
  Spawn(Record(broadcast, 4, reached));
  broadcast.Publish(4);
  EXPECT_EQ(reached, (std::vector<int64_t>{3, 4}));
  broadcast.Publish(2);
  EXPECT_EQ(broadcast.value(), 4) << "it only grows";
  broadcast.Publish(9);
  EXPECT_EQ(reached, (std::vector<int64_t>{3, 4, 5}));
}

TEST(Broadcast, AStopEndsTheWait) {
  Broadcast broadcast;
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(BlockOn(Await(broadcast, 1), stopped.get_token()));
}

// Publish and stop race for each waiter: it must resume exactly once, whoever wins.
TEST(Broadcast, AStopAndAPublishAtTheSameTimeResumeOnce) {
  Broadcast broadcast;
  for (int64_t i = 1; i <= 2000; ++i) {
    std::stop_source source;
    std::thread publisher([&] { broadcast.Publish(i); });
    std::thread stopper([&] { source.request_stop(); });
    const bool reached = BlockOn(Await(broadcast, i), source.get_token());
    EXPECT_TRUE(reached || source.stop_requested());
    publisher.join();
    stopper.join();
  }
}

TEST(Broadcast, BlocksAThreadUntilTheValueTheDeadlineOrAStop) {
  Broadcast broadcast;
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  EXPECT_FALSE(broadcast.BlockUntil(1, absl::Now() + absl::Milliseconds(1), stop));
  bool reached = false;
  std::thread waits([&] { reached = broadcast.BlockUntil(1, absl::InfiniteFuture(), stop); });
  broadcast.Publish(1);
  waits.join();
  EXPECT_TRUE(reached);
  std::thread stopped([&] { reached = broadcast.BlockUntil(2, absl::InfiniteFuture(), stop); });
  source.request_stop();
  stopped.join();
  EXPECT_FALSE(reached);
}

TEST(Broadcast, EitherOfTwoStopsEndsTheWait) {
  Broadcast broadcast;
  for (const bool first : {true, false}) {
    std::stop_source one;
    std::stop_source other;
    const std::stop_token one_token = one.get_token();
    const std::stop_token other_token = other.get_token();
    const EitherStops stop(one_token, other_token);
    std::thread stopper([&] { (first ? one : other).request_stop(); });
    EXPECT_FALSE(BlockOn(Await(broadcast, 1), stop.token()));
    stopper.join();
  }
}

}  // namespace
}  // namespace userservice
