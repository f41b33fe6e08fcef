#include "service/rpc/call_host.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "service/errors/errors.h"

namespace userservice::rpc {
namespace {

TEST(CallHostTest, EachKindOfCallHasALimitOfItsOwn) {
  CallHost host(/*calls_max=*/1, /*streams_max=*/1);
  for (const CallKind kind :
       {CallKind::kUnary, CallKind::kStream, CallKind::kHealthWatch, CallKind::kReflection}) {
    EXPECT_TRUE(host.Admit(kind).ok());
    EXPECT_FALSE(host.Admit(kind).ok());
  }
  EXPECT_EQ(host.live_calls(), 4);
  host.End(CallKind::kStream);
  EXPECT_TRUE(host.Admit(CallKind::kStream).ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(host.Admit(CallKind::kImmediate).ok());
}

TEST(CallHostTest, ADrainRefusesWhatWouldHoldItAndLetsHealthSpeak) {
  CallHost host(8, 8);
  host.StartDraining();
  for (const CallKind kind : {CallKind::kUnary, CallKind::kStream, CallKind::kReflection}) {
    EXPECT_EQ(errors::ReasonOf(host.Admit(kind)), "SHUTTING_DOWN");
  }
  EXPECT_TRUE(host.Admit(CallKind::kImmediate).ok());
  EXPECT_TRUE(host.Admit(CallKind::kHealthWatch).ok());
  EXPECT_EQ(host.live_calls(), 2);
}

TEST(CallHostTest, ADrainWaitsForAllButReflection) {
  CallHost host(8, 8);
  ASSERT_TRUE(host.Admit(CallKind::kReflection).ok());
  EXPECT_TRUE(host.WaitForNoCalls(absl::Now()));
  ASSERT_TRUE(host.Admit(CallKind::kStream).ok());
  EXPECT_FALSE(host.WaitForNoCalls(absl::Now()));
  host.End(CallKind::kStream);
  EXPECT_TRUE(host.WaitForNoCalls(absl::Now()));
}

TEST(CallHostTest, RefusalsAreToldOnceASecondWithTheirNumber) {
  CallHost host(8, 8);
  const absl::Time start = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(host.CountRefusal(start), 1);
  for (int i = 0; i < 998; ++i) {
    EXPECT_EQ(host.CountRefusal(start + absl::Milliseconds(i)), std::nullopt);
  }
  EXPECT_EQ(host.CountRefusal(start + absl::Seconds(1)), 999);
  EXPECT_EQ(host.CountRefusal(start + absl::Seconds(5)), 1);
}

}  // namespace
}  // namespace userservice::rpc
