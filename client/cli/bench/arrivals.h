// Arrivals: when the calls of an open loop are due. Evenly spaced, whatever became of the calls
// before: a call that a stall delays is late by its own schedule, so that the stall is seen in the
// latency of every call that it touched.
//
//   for (Arrivals due(rate, start_ns, thread, threads); due.next_ns() < end_ns; due.Advance()) ...
//
// Several threads share one schedule: each takes every `threads`-th arrival.
// Source: Gil Tene, "How NOT to Measure Latency", on coordinated omission.
#pragma once

#include <cstdint>

namespace userservice::cli {

class Arrivals {
 public:
  Arrivals(double rate_per_s, int64_t start_ns, int thread, int threads)
      : interval_ns_(1e9 / rate_per_s), start_ns_(start_ns), number_(thread), threads_(threads) {}

  // Counted from the start, not from the arrival before, so that nothing adds up.
  int64_t next_ns() const {
    return start_ns_ + static_cast<int64_t>(static_cast<double>(number_) * interval_ns_);
  }
  void Advance() { number_ += threads_; }

 private:
  const double interval_ns_;
  const int64_t start_ns_;
  int64_t number_;
  const int threads_;
};

}  // namespace userservice::cli
