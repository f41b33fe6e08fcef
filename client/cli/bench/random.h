// Random numbers for a load: cheap, one sequence a thread.
//
// SplitMix64. Its last step, Scramble, maps the 64-bit numbers one to one onto themselves, so that
// scrambled counters look random and never come twice.
// Source: Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014.
#pragma once

#include <cstdint>

namespace userservice::cli {

constexpr uint64_t Scramble(uint64_t number) {
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return Scramble(state_ += 0x9E3779B97F4A7C15U); }
  // From 0 to `count` - 1.
  int64_t Below(int64_t count) {
    return static_cast<int64_t>(Next() % static_cast<uint64_t>(count));
  }

 private:
  uint64_t state_;
};

}  // namespace userservice::cli
