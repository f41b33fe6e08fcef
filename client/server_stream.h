// ServerStream: one call whose answers stream, from its opening to its end. What ExportStream and
// WatchStream are made of; it holds everything that gRPC holds pointers to meanwhile.
//
// The call is opened by the first Next(). It must not be destroyed while it is open: Drop() takes
// one that nobody reads any more.
// Threads: one at a time. Lifetime: ends before the core, which waits for it.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "async/completion_loop.h"
#include "async/spawn.h"
#include "async/stop.h"
#include "async/task.h"
#include "client/call.h"
#include "client/core.h"
#include "client/options.h"
#include "client/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/async_stream.h"

namespace userservice::internal {

template <class Request, class Response>
class ServerStream {
 public:
  // The generated Stub::PrepareAsync<Rpc>.
  using PrepareAsync = std::unique_ptr<grpc::ClientAsyncReader<Response>> (UserStub::*)(
      grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

  // `method` outlives it.
  ServerStream(Core* core, PrepareAsync prepare, std::string_view method, Request request,
               CallOptions options, absl::Duration default_deadline)
      : core_(core),
        prepare_(prepare),
        method_(method),
        request_(std::move(request)),
        options_(std::move(options)),
        default_deadline_(default_deadline) {}
  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;

  // The next message; nothing at the end; or the error that the call ended with. The last two again
  // when asked again.
  Task<absl::StatusOr<std::optional<Response>>> Next() {
    const std::stop_token stop = co_await CurrentStopToken();
    if (reader_ == nullptr && stop.stop_requested())
      outcome_ = absl::CancelledError("stopped before the call began");
    if (!outcome_.has_value()) {
      const CancelOnStop cancel_on_stop(stop, TryCancel{&context_});
      std::optional<Response> message(std::in_place);
      bool readable = true;
      if (reader_ == nullptr) readable = co_await Open();
      if (readable) readable = co_await Read(&*message);
      if (readable) co_return std::move(message);
      co_await Finish();
    }
    if (!outcome_->ok()) co_return *outcome_;
    co_return std::optional<Response>();
  }

  // Cancels what is left of the call, and cleans up on the client's own thread.
  static void Drop(std::unique_ptr<ServerStream> stream) {
    if (stream == nullptr || stream->reader_ == nullptr || stream->outcome_.has_value()) return;
    stream->context_.TryCancel();
    Spawn(Drain(std::move(stream)));
  }

 private:
  static Task<void> Drain(std::unique_ptr<ServerStream> stream) {
    Response unwanted;
    bool more = true;
    while (more) more = co_await stream->Read(&unwanted);
    co_await stream->Finish();
  }

  // The call starts; false if it could not.
  Task<bool> Open() {
    alive_.emplace(*core_);
    start_ = absl::Now();
    Prepare(context_, options_, default_deadline_);
    reader_ = (core_->plain().*prepare_)(&context_, request_, core_->queue());
    auto start = [this](void* tag) { reader_->StartCall(tag); };
    co_return co_await StartOperation(start);
  }

  // False when there is nothing more to read.
  Task<bool> Read(Response* message) {
    auto read = [this, message](void* tag) { reader_->Read(message, tag); };
    co_return co_await StartOperation(read);
  }

  // Once there is nothing more to read: takes the outcome.
  Task<void> Finish() {
    grpc::Status status;
    auto finish = [this, &status](void* tag) { reader_->Finish(&status, tag); };
    co_await StartOperation(finish);
    outcome_ = StatusFromGrpc(status);
    Observe(options_, method_, start_, context_, *outcome_);
    alive_.reset();
  }

  Core* const core_;
  const PrepareAsync prepare_;
  const std::string_view method_;
  const Request request_;
  const CallOptions options_;
  const absl::Duration default_deadline_;
  std::optional<LiveCall> alive_;
  absl::Time start_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
  std::optional<absl::Status> outcome_;
};

}  // namespace userservice::internal
