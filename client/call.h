// One RPC from beginning to end, over the core's completion queue. What every method of UserClient
// is made of.
//
// The frame of CallUnary owns all that gRPC writes to, and is awaited until gRPC has returned the
// tag: a stop cancels the RPC, and then its end is waited for all the same.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "async/completion_loop.h"
#include "async/stop.h"
#include "async/task.h"
#include "client/core.h"
#include "client/options.h"
#include "client/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/async_unary_call.h"

namespace userservice::internal {

struct TryCancel {
  grpc::ClientContext* context;
  void operator()() const { context->TryCancel(); }
};
using CancelOnStop = std::stop_callback<TryCancel>;

// Deadline, metadata and the rest of `options` into `context`.
void Prepare(grpc::ClientContext& context, const CallOptions& options,
             absl::Duration default_deadline);

// Tells the options' observer, if there is one, that the call has ended now.
void Observe(const CallOptions& options, std::string_view method, absl::Time start,
             const grpc::ClientContext& context, const absl::Status& status);

// The generated Stub::PrepareAsync<Rpc>.
template <class Stub, class Request, class Response>
using PrepareAsync = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (Stub::*)(
    grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

template <class Stub, class Request, class Response>
Task<absl::StatusOr<Response>> CallUnary(Core* core, Stub* stub,
                                         PrepareAsync<Stub, Request, Response> prepare,
                                         std::string_view method, Request request,
                                         CallOptions options) {
  const std::stop_token stop = co_await CurrentStopToken();
  if (stop.stop_requested()) co_return absl::CancelledError("stopped before the call began");
  const LiveCall alive(*core);
  const absl::Time start = absl::Now();
  grpc::ClientContext context;
  Prepare(context, options, core->options().deadline);
  Response response;
  grpc::Status grpc_status;
  auto call = (stub->*prepare)(&context, request, core->queue());
  call->StartCall();
  {
    const CancelOnStop cancel_on_stop(stop, TryCancel{&context});
    auto finish = [&](void* tag) { call->Finish(&response, &grpc_status, tag); };
    co_await StartOperation(finish);
  }
  absl::Status status = StatusFromGrpc(grpc_status);
  Observe(options, method, start, context, status);
  if (!status.ok()) co_return status;
  co_return std::move(response);
}

}  // namespace userservice::internal
