// Reads the value of a Server-Timing header: `queue;dur=0.012, sql;dur=0.345`, in milliseconds.
// Source: https://www.w3.org/TR/server-timing/
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "client/options.h"

namespace userservice::internal {

// The metadata that asks the server for its timing, and the trailing metadata that brings it.
inline constexpr char kAskForServerTiming[] = "x-server-timing";
inline constexpr char kServerTiming[] = "server-timing";

// In order of appearance. Metrics without a duration, and what can not be read, are left out.
std::vector<ServerSpan> ParseServerTiming(absl::string_view value);

}  // namespace userservice::internal
