#include "service/store/drain_rate.h"

#include <algorithm>

namespace userservice::store {
namespace {

// The weight of the newest batch: a stall is noticed at once, and forgotten after about ten
// batches.
constexpr double kNewest = 0.25;

absl::Duration Follow(absl::Duration average, absl::Duration newest) {
  return average + (newest - average) * kNewest;
}

}  // namespace

void DrainRate::Measure(size_t rows, absl::Duration statements, absl::Duration commit) {
  if (rows == 0) return;
  const absl::Duration row = statements / static_cast<double>(rows);
  per_row_ = measured_ ? Follow(per_row_, row) : row;
  per_commit_ = measured_ ? Follow(per_commit_, commit) : commit;
  measured_ = true;
}

absl::Duration DrainRate::TimeFor(size_t rows) const {
  const size_t batches = (rows + batch_rows_max_ - 1) / batch_rows_max_;
  return per_commit_ * static_cast<double>(batches) + per_row_ * static_cast<double>(rows);
}

absl::Duration RetryAfter(absl::Duration time_to_drain) {
  return std::clamp(time_to_drain, absl::Milliseconds(5), absl::Seconds(30));
}

}  // namespace userservice::store
