// DrainRate: how fast a queue of writes drains, from what its last batches took.
//
//   rate.Measure(/*rows=*/64, /*statements=*/absl::Milliseconds(1), absl::Milliseconds(2));
//   rate.TimeFor(500);  // what writes of 500 rows together will take
//
// A batch costs what its commit costs, and something for each of its rows; the two are followed
// apart, each as a moving average, so that a queue which was short (every write paid for a commit
// of its own) predicts a long one well, and writes of one row predict those of many. Threads: none
// of its own; the owner guards it.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace userservice::store {

class DrainRate {
 public:
  explicit DrainRate(size_t batch_rows_max) : batch_rows_max_(batch_rows_max) {}

  void Measure(size_t rows, absl::Duration statements, absl::Duration commit);

  // Zero until something was measured.
  absl::Duration TimeFor(size_t rows) const;

 private:
  const size_t batch_rows_max_;
  bool measured_ = false;
  absl::Duration per_row_;
  absl::Duration per_commit_;
};

// What a client is told to wait that was refused by a queue which needs so long to drain: that,
// but 5 ms at least and 30 s at most.
absl::Duration RetryAfter(absl::Duration time_to_drain);

}  // namespace userservice::store
