// DrainRate: how fast a queue of writes drains, from what its last batches took.
//
//   rate.Measure(/*jobs=*/64, /*statements=*/absl::Milliseconds(1), absl::Milliseconds(2));
//   rate.TimeFor(500);  // what 500 jobs will take
//
// A batch costs what its commit costs, and something for each of its jobs; the two are followed
// apart, each as a moving average, so that a queue which was short (every job paid for a commit of
// its own) predicts a long one well. Threads: none of its own; the owner guards it.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace userservice::store {

class DrainRate {
 public:
  explicit DrainRate(size_t batch_jobs_max) : batch_jobs_max_(batch_jobs_max) {}

  void Measure(size_t jobs, absl::Duration statements, absl::Duration commit);

  // Zero until something was measured.
  absl::Duration TimeFor(size_t jobs) const;

 private:
  const size_t batch_jobs_max_;
  bool measured_ = false;
  absl::Duration per_job_;
  absl::Duration per_commit_;
};

}  // namespace userservice::store
