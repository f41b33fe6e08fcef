#include "async/block_on.h"

#include <thread>

#include "async/completion_loop.h"
#include "gtest/gtest.h"

namespace userservice {
namespace {

Task<std::thread::id> IdOnLoop(CompletionLoop& loop) {
  co_await loop.Schedule();
  co_return std::this_thread::get_id();
}

TEST(BlockOn, WaitsForATaskThatEndsOnAnotherThread) {
  CompletionLoop loop(std::make_unique<grpc::CompletionQueue>(), "test");
  for (int i = 0; i < 1000; ++i) {
    EXPECT_NE(BlockOn(IdOnLoop(loop)), std::this_thread::get_id());
  }
}

}  // namespace
}  // namespace userservice
