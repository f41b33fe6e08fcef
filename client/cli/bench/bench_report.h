// What `userctl bench` prints: a table for people, JSON with the distribution of each latency, CSV.
#pragma once

#include <ostream>
#include <string>

#include "client/cli/bench/load.h"
#include "client/cli/output.h"

namespace userservice::cli {

void PrintBenchReport(std::ostream& out, OutputFormat format, const std::string& server,
                      const LoadOptions& options, const LoadResult& result);

// Calls that failed, and change feeds that ended early.
int64_t FailuresIn(const LoadResult& result);

}  // namespace userservice::cli
