#include "client/cli/bench/mix.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace userservice::cli {
namespace {

constexpr std::array<std::string_view, kBenchOperations> kOperationNames = {
    "get", "lookup", "batch_get", "list", "count", "create", "update", "export", "import"};

constexpr int64_t kWeightMax = 1'000'000;

std::optional<BenchOperation> OperationNamed(std::string_view name) {
  for (size_t i = 0; i < kOperationNames.size(); ++i) {
    if (kOperationNames[i] == name) return static_cast<BenchOperation>(i);
  }
  return std::nullopt;
}

std::string NamesOfAll() {
  std::string names;
  for (const std::string_view name : kOperationNames) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return names;
}

}  // namespace

std::string_view NameOf(BenchOperation operation) { return kOperationNames[IndexOf(operation)]; }

absl::StatusOr<Mix> Mix::Parse(std::string_view text) {
  Mix mix;
  std::array<bool, kBenchOperations> named = {};
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const std::optional<BenchOperation> operation = OperationNamed(pair.first);
    if (!operation.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", pair.first, "' is none of ", NamesOfAll()));
    }
    if (std::exchange(named[IndexOf(*operation)], true))
      return absl::InvalidArgumentError(absl::StrCat(pair.first, " is named twice"));
    int64_t weight = 1;
    const bool has_weight = part.size() > pair.first.size();
    if (has_weight &&
        (!absl::SimpleAtoi(pair.second, &weight) || weight < 0 || weight > kWeightMax)) {
      return absl::InvalidArgumentError(absl::StrCat("the weight of ", pair.first, ", '",
                                                     pair.second, "', is not a number from 0 to ",
                                                     kWeightMax));
    }
    mix.weights_[IndexOf(*operation)] = weight;
    mix.total_ += weight;
  }
  if (mix.total_ == 0) return absl::InvalidArgumentError("all weights are 0");
  return mix;
}

BenchOperation Mix::Pick(uint64_t random) const {
  auto left = static_cast<int64_t>(random % static_cast<uint64_t>(total_));
  size_t index = 0;
  while (left >= weights_[index]) left -= weights_[index++];
  return static_cast<BenchOperation>(index);
}

}  // namespace userservice::cli
