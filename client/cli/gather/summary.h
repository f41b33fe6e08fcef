// What two runs of the same plan come to: for each kind of RPC, and for all, how long each run
// took.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/gather/plan.h"
#include "client/cli/gather/runs.h"

namespace userservice::cli {

struct KindTimes {
  std::string name;   // for programs: "get"
  std::string title;  // for people: "reads of one user"
  size_t calls = 0;
  // From the first start to the last end.
  absl::Duration sequential;
  absl::Duration gathered;

  double speed_up() const;
};

struct Summary {
  std::vector<KindTimes> kinds;  // those that the plan has, in the order of Kind
  KindTimes all;
  std::vector<std::string> differences;  // the labels of the calls whose two answers differ
};

Summary Summarize(const std::vector<PlannedCall>& plan, const MeasuredRun& sequential,
                  const MeasuredRun& gathered);

// For programs.
std::string NameOf(Kind kind);

}  // namespace userservice::cli
