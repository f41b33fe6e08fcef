// Eventually: waits for a condition that nothing announces: what a server holds, what a process has
// written.
//
//   EXPECT_TRUE(Eventually([&] { return app.live_calls() == 0; }));
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/notification.h"

namespace userservice {

// True as soon as `condition()` is; false if it is not within `limit`.
template <class Condition>
[[nodiscard]] bool Eventually(const Condition& condition,
                              absl::Duration limit = absl::Seconds(30)) {
  const absl::Time give_up = absl::Now() + limit;
  for (;;) {
    if (condition()) return true;
    if (absl::Now() >= give_up) return false;
    // Nobody will notify: this is the pause between two looks, short beside what is waited for.
    Notification never;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(1));
  }
}

}  // namespace userservice
