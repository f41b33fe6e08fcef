// Mix: which operations a load is made of, and how often each: "get=80,list=15,create=5".
//
// The numbers are weights, and need not add up to 100; an operation without one has weight 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace userservice::cli {

enum class BenchOperation {
  kGet,
  kLookup,
  kBatchGet,
  kList,
  kCount,
  kCreate,
  kUpdate,
  kExport,
  kImport
};
constexpr size_t kBenchOperations = 9;

constexpr size_t IndexOf(BenchOperation operation) { return static_cast<size_t>(operation); }

// As a mix names it: "batch_get".
std::string_view NameOf(BenchOperation operation);

class Mix {
 public:
  // INVALID_ARGUMENT, with what is wrong, for an operation that is unknown or named twice, a weight
  // that is no number from 0 to 1,000,000, and weights that are all 0.
  static absl::StatusOr<Mix> Parse(std::string_view text);

  bool Has(BenchOperation operation) const { return weights_[IndexOf(operation)] > 0; }

  // Each operation by its weight, if `random` is any number as often as any other.
  BenchOperation Pick(uint64_t random) const;

 private:
  Mix() = default;

  std::array<int64_t, kBenchOperations> weights_ = {};
  int64_t total_ = 0;
};

}  // namespace userservice::cli
