// A filter that matches nobody, and compares a lot with every row to find that out: with it a count
// of a hundred thousand users takes a good part of a second.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"

namespace userservice {

inline std::string LongScanFilter(int comparisons = 60) {
  std::string filter = "name:\"q1x\"";
  for (int i = 2; i <= comparisons; ++i) absl::StrAppend(&filter, " OR name:\"q", i, "x\"");
  return filter;
}

}  // namespace userservice
