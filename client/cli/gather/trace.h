// Writes the two runs as Chrome trace events, which https://ui.perfetto.dev and chrome://tracing
// open: a process for each run, a track for each RPC that was in flight at the same time, and under
// a client's span those of the server.
//
// The server tells how long it waited and worked, not when: two machines have two clocks. Its spans
// stand in the middle of the client's, as if the network took as long there as back, in the order
// in which the server gave them.
// Source: "Trace Event Format", the JSON object format with complete ("X") and metadata ("M")
//   events.
#pragma once

#include <ostream>
#include <vector>

#include "client/cli/gather/plan.h"
#include "client/cli/gather/runs.h"

namespace userservice::cli {

void WriteTrace(std::ostream& out, const std::vector<PlannedCall>& plan,
                const MeasuredRun& sequential, const MeasuredRun& gathered);

}  // namespace userservice::cli
