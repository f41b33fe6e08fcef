// LatencyHistogram: how long calls took, to three digits, in the same small memory however many
// there were.
//
//   LatencyHistogram latency;
//   latency.Record(1'250'000);                 // nanoseconds
//   int64_t p99_ns = latency.ValueAt(99);
//
// Log-linear, as Gil Tene's HdrHistogram: each power of two is cut into 256 counters of one width,
// so that a value is known to 0.4 %. The smallest and the largest are kept as they are.
// Threads: one at a time; Add joins what several threads counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace userservice::cli {

class LatencyHistogram {
 public:
  static constexpr int64_t kMaxNs = (int64_t{1} << 40) - 1;  // 18 minutes; more counts as that

  LatencyHistogram();

  void Record(int64_t nanoseconds);
  void Add(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  int64_t min_ns() const { return count_ == 0 ? 0 : min_; }
  int64_t max_ns() const { return max_; }
  double mean_ns() const;

  // The least value that `percentile` percent of those recorded do not exceed, rounded up within
  // its counter. 0 if there are none.
  int64_t ValueAt(double percentile) const;

  // ValueAt for percentiles that come closer the nearer 100 is, five for each halving of what is
  // left, up to the maximum: what a plot of the distribution needs.
  struct Point {
    double percentile;
    int64_t value_ns;
  };
  std::vector<Point> Distribution() const;

 private:
  int64_t RankOf(double percentile) const;

  std::vector<int64_t> counters_;
  int64_t count_ = 0;
  int64_t min_ = kMaxNs;
  int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace userservice::cli
