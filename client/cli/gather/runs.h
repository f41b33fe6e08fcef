// Makes the planned calls, once one after another and once gathered, and measures each.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "client/cli/gather/plan.h"
#include "client/user_client.h"

namespace userservice::cli {

// When something began and ended, from the start of its run.
struct Interval {
  absl::Duration start;
  absl::Duration end;
};

struct MeasuredRun {
  std::vector<Answer> answers;                        // in the order of the plan
  std::vector<Interval> calls;                        // in the order of the plan
  std::vector<std::vector<ServerSpan>> server_spans;  // in the order of the plan
  absl::Duration total;
};

// `plan` outlives the task.
Task<absl::StatusOr<MeasuredRun>> RunOneAfterAnother(UserClient& client,
                                                     const std::vector<PlannedCall>& plan);
Task<absl::StatusOr<MeasuredRun>> RunGathered(UserClient& client,
                                              const std::vector<PlannedCall>& plan);

// From the first start to the last end of the calls of one kind. Zero if there are none.
absl::Duration SpanOf(const MeasuredRun& run, const std::vector<PlannedCall>& plan, Kind kind);

}  // namespace userservice::cli
