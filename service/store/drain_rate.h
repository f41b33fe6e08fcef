// DrainRate: how fast a queue of writes drains, from what its last batches took.
//
//   DrainRate::Batch batch;
//   batch.AddJob(/*rows=*/1, /*statements=*/absl::Microseconds(40));
//   batch.AddJob(1000, absl::Milliseconds(20));
//   batch.commit = absl::Milliseconds(2);
//   rate.Measure(batch);
//   rate.TimeFor(/*jobs=*/3, /*rows=*/3);  // what three writes of a row will take together
//
// A batch costs what its commit costs, something for each of its jobs, and something for each row
// that a job has beside its first: three costs, each followed as a moving average. A queue that was
// short, where every write paid for a commit of its own, so predicts a long one well, and a write
// of one row that was slow tells nothing of rows that come by the thousand. What was measured over
// more jobs or rows weighs more, and what was never seen is taken to cost nothing: a write that
// waits in vain is told so at its deadline, one that is refused in error can not be made good.
// Threads: none of its own; the owner guards it.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace userservice::store {

class DrainRate {
 public:
  // What the jobs of one batch took that did their work.
  struct Batch {
    void AddJob(size_t rows, absl::Duration statements);

    size_t small_jobs = 0;  // of one row
    absl::Duration small_jobs_time;
    size_t large_jobs = 0;
    size_t large_jobs_rows = 0;
    absl::Duration large_jobs_time;
    absl::Duration commit;  // and all else that is no job's own
  };

  // A batch takes so many rows at most, and no further job after so long.
  explicit DrainRate(size_t batch_rows_max,
                     absl::Duration batch_time_max = absl::InfiniteDuration())
      : batch_rows_max_(batch_rows_max), batch_s_max_(absl::ToDoubleSeconds(batch_time_max)) {}

  void Measure(const Batch& batch);

  absl::Duration TimeFor(size_t jobs, size_t rows) const;

 private:
  // Seconds, as each write is weighed, and to multiply a Duration takes hundreds of instructions.
  size_t batch_rows_max_;
  double batch_s_max_;
  double per_commit_s_ = 0;
  double per_job_s_ = 0;        // its first row included
  double per_added_row_s_ = 0;  // each of the others
};

// What a client is told to wait that was refused by a queue which needs so long to drain: that,
// but 5 ms at least and 30 s at most.
absl::Duration RetryAfter(absl::Duration time_to_drain);

}  // namespace userservice::store
