#include "service/store/drain_rate.h"

#include <algorithm>

namespace userservice::store {
namespace {

// So many commits, jobs and added rows weigh as much as all that was measured before them. A stall
// is noticed at once, and forgotten after some ten batches.
constexpr double kCommits = 3;
constexpr double kJobs = 3;
constexpr double kAddedRows = 256;

// The average, moved by `count` measurements that took `time` together.
void Follow(double& average_s, absl::Duration time, size_t count, double memory) {
  if (count == 0) return;
  const auto measured = static_cast<double>(count);
  average_s = (average_s * memory + absl::ToDoubleSeconds(time)) / (memory + measured);
}

size_t AddedRows(size_t rows, size_t jobs) { return rows - std::min(rows, jobs); }

}  // namespace

void DrainRate::Batch::AddJob(size_t rows, absl::Duration statements) {
  if (rows <= 1) {
    ++small_jobs;
    small_jobs_time += statements;
  } else {
    ++large_jobs;
    large_jobs_rows += rows;
    large_jobs_time += statements;
  }
}

void DrainRate::Measure(const Batch& batch) {
  Follow(per_commit_s_, batch.commit, 1, kCommits);
  Follow(per_job_s_, batch.small_jobs_time, batch.small_jobs, kJobs);
  const absl::Duration first_rows =
      absl::Seconds(per_job_s_ * static_cast<double>(batch.large_jobs));
  const absl::Duration added_rows =
      std::max(batch.large_jobs_time - first_rows, absl::ZeroDuration());
  Follow(per_added_row_s_, added_rows, AddedRows(batch.large_jobs_rows, batch.large_jobs),
         kAddedRows);
}

absl::Duration DrainRate::TimeFor(size_t jobs, size_t rows) const {
  const double statements_s = per_job_s_ * static_cast<double>(jobs) +
                              per_added_row_s_ * static_cast<double>(AddedRows(rows, jobs));
  const size_t full_batches = (rows + batch_rows_max_ - 1) / batch_rows_max_;
  // A job is never split.
  const double by_time = std::min(statements_s / batch_s_max_, static_cast<double>(jobs));
  const double batches = std::max(static_cast<double>(full_batches), by_time);
  return absl::Seconds(per_commit_s_ * batches + statements_s);
}

absl::Duration RetryAfter(absl::Duration time_to_drain) {
  return std::clamp(time_to_drain, absl::Milliseconds(5), absl::Seconds(30));
}

}  // namespace userservice::store
