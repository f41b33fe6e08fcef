#include "service/store/drain_rate.h"

namespace userservice::store {
namespace {

// The weight of the newest batch: a stall is noticed at once, and forgotten after about ten
// batches.
constexpr double kNewest = 0.25;

absl::Duration Follow(absl::Duration average, absl::Duration newest) {
  return average + (newest - average) * kNewest;
}

}  // namespace

void DrainRate::Measure(size_t jobs, absl::Duration statements, absl::Duration commit) {
  if (jobs == 0) return;
  const absl::Duration job = statements / static_cast<double>(jobs);
  per_job_ = measured_ ? Follow(per_job_, job) : job;
  per_commit_ = measured_ ? Follow(per_commit_, commit) : commit;
  measured_ = true;
}

absl::Duration DrainRate::TimeFor(size_t jobs) const {
  const size_t batches = (jobs + batch_jobs_max_ - 1) / batch_jobs_max_;
  return per_commit_ * static_cast<double>(batches) + per_job_ * static_cast<double>(jobs);
}

}  // namespace userservice::store
