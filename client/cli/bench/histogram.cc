#include "client/cli/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace userservice::cli {
namespace {

// Values below 512 have a counter each; of every further power of two, the 8 bits below the leading
// one choose the counter.
constexpr int kBits = 8;
constexpr int64_t kLinear = int64_t{2} << kBits;

int ShiftOf(int64_t value) {
  const auto width = static_cast<int>(std::bit_width(static_cast<uint64_t>(value)));
  return std::max(0, width - (kBits + 1));
}

size_t CounterOf(int64_t value) {
  const int shift = ShiftOf(value);
  return static_cast<size_t>((int64_t{shift} << kBits) + (value >> shift));
}

// The largest value that the counter stands for.
int64_t UpperBoundOf(size_t counter) {
  const auto index = static_cast<int64_t>(counter);
  if (index < kLinear) return index;
  const int64_t shift = (index >> kBits) - 1;
  return ((index - (shift << kBits) + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : counters_(CounterOf(kMaxNs) + 1) {}

void LatencyHistogram::Record(int64_t nanoseconds) {
  const int64_t value = std::clamp(nanoseconds, int64_t{0}, kMaxNs);
  ++counters_[CounterOf(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (size_t i = 0; i < counters_.size(); ++i) counters_[i] += other.counters_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double LatencyHistogram::mean_ns() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

// How many of the recorded values lie at or below the percentile; at least one.
int64_t LatencyHistogram::RankOf(double percentile) const {
  const double rank = std::ceil(percentile / 100 * static_cast<double>(count_));
  return std::clamp(static_cast<int64_t>(rank), int64_t{1}, count_);
}

int64_t LatencyHistogram::ValueAt(double percentile) const {
  if (count_ == 0) return 0;
  int64_t left = RankOf(percentile);
  size_t counter = 0;
  while (left > counters_[counter]) left -= counters_[counter++];
  return std::clamp(UpperBoundOf(counter), min_, max_);
}

std::vector<LatencyHistogram::Point> LatencyHistogram::Distribution() const {
  constexpr double kPointsPerHalving = 5;
  std::vector<Point> points;
  double percentile = 0;
  while (count_ > 0 && RankOf(percentile) < count_) {
    points.push_back({percentile, ValueAt(percentile)});
    const double halvings = std::floor(std::log2(100 / (100 - percentile))) + 1;
    percentile += 100 / (kPointsPerHalving * std::exp2(halvings));
  }
  if (count_ > 0) points.push_back({100, max_});
  return points;
}

}  // namespace userservice::cli
