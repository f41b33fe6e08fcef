// CheckNotEnded: whether anybody still waits for a call's answer.
#pragma once

#include <stop_token>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/errors/errors.h"
#include "service/store/user_store.h"

namespace userservice::store {

// DEADLINE_EXPIRED once the deadline has passed, also if that is what stopped the task;
// CALL_CANCELLED if it was stopped before.
inline absl::Status CheckNotEnded(const CallContext& context, const std::stop_token& stop,
                                  absl::Time now) {
  if (now >= context.deadline) return errors::DeadlineExpired();
  if (stop.stop_requested()) return errors::CallCancelled();
  return absl::OkStatus();
}

}  // namespace userservice::store
