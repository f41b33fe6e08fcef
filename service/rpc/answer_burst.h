// Answers that are ready at about the same time leave together: for a small read, the kernel's work
// for a packet of its own was a fifth of all (see tests/bench/RESULTS.md).
//
// The first answer on a connection leaves at once, so that a call that is alone waits for nothing.
// Those after it are held in the socket (TCP_CORK) until they fill a packet, or the burst is over
// (Executor::AfterBurst): for a millisecond, or what then runs, at most.
// Threads: the loop's alone.
#pragma once

#include "grpcpp/server_context.h"

namespace userservice::rpc {

// Call it on a loop, before an answer to `context` is handed to gRPC.
void JoinAnswerBurst(const grpc::ServerContext& context);

}  // namespace userservice::rpc
