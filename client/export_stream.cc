#include "client/export_stream.h"

#include <stop_token>
#include <utility>

#include "absl/time/clock.h"
#include "async/completion_loop.h"
#include "async/spawn.h"
#include "async/stop.h"
#include "client/call.h"
#include "client/core.h"
#include "client/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/async_stream.h"

namespace userservice {

using users::v1::ExportUsersRequest;
using users::v1::ExportUsersResponse;

// Everything that gRPC holds pointers to while the call is open.
class ExportStream::State {
 public:
  State(internal::Core* core, ExportUsersRequest request, CallOptions options)
      : core_(core), request_(std::move(request)), options_(std::move(options)) {}

  bool open() const { return reader_ != nullptr && !outcome_.has_value(); }
  bool opened() const { return reader_ != nullptr; }
  grpc::ClientContext& context() { return context_; }
  const std::optional<absl::Status>& outcome() const { return outcome_; }

  // The call starts; false if it could not.
  Task<bool> Open() {
    alive_.emplace(*core_);
    start_ = absl::Now();
    internal::Prepare(context_, options_, core_->options().stream_deadline);
    reader_ = core_->plain().PrepareAsyncExportUsers(&context_, request_, core_->queue());
    auto start = [this](void* tag) { reader_->StartCall(tag); };
    co_return co_await StartOperation(start);
  }

  // False when there is nothing more to read.
  Task<bool> Read(ExportUsersResponse* chunk) {
    auto read = [this, chunk](void* tag) { reader_->Read(chunk, tag); };
    co_return co_await StartOperation(read);
  }

  // Once there is nothing more to read: takes the outcome.
  Task<void> Finish() {
    grpc::Status status;
    auto finish = [this, &status](void* tag) { reader_->Finish(&status, tag); };
    co_await StartOperation(finish);
    outcome_ = StatusFromGrpc(status);
    internal::Observe(options_, "ExportUsers", start_, context_, *outcome_);
    alive_.reset();
  }

  void End(absl::Status outcome) { outcome_ = std::move(outcome); }

 private:
  internal::Core* const core_;
  const ExportUsersRequest request_;
  const CallOptions options_;
  std::optional<internal::LiveCall> alive_;
  absl::Time start_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<ExportUsersResponse>> reader_;
  std::optional<absl::Status> outcome_;
};

ExportStream::ExportStream(internal::Core* core, const ExportUsersRequest& request,
                           const CallOptions& options)
    : state_(std::make_unique<State>(core, request, options)) {}

ExportStream::ExportStream(ExportStream&& other) noexcept = default;

ExportStream& ExportStream::operator=(ExportStream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

ExportStream::~ExportStream() {
  if (state_ == nullptr || !state_->open()) return;
  state_->context().TryCancel();
  Spawn(Drain(std::move(state_)));
}

Task<void> ExportStream::Drain(std::unique_ptr<State> state) {
  ExportUsersResponse unwanted;
  bool more = true;
  while (more) more = co_await state->Read(&unwanted);
  co_await state->Finish();
}

Task<absl::StatusOr<std::optional<ExportUsersResponse>>> ExportStream::Next() {
  return NextOf(state_.get());
}

Task<absl::StatusOr<std::optional<ExportUsersResponse>>> ExportStream::NextOf(State* state) {
  const std::stop_token stop = co_await CurrentStopToken();
  if (!state->opened() && stop.stop_requested())
    state->End(absl::CancelledError("stopped before the call began"));
  if (!state->outcome().has_value()) {
    const internal::CancelOnStop cancel_on_stop(stop, internal::TryCancel{&state->context()});
    std::optional<ExportUsersResponse> chunk(std::in_place);
    bool readable = true;
    if (!state->opened()) readable = co_await state->Open();
    if (readable) readable = co_await state->Read(&*chunk);
    if (readable) co_return std::move(chunk);
    co_await state->Finish();
  }
  if (!state->outcome()->ok()) co_return *state->outcome();
  co_return std::optional<ExportUsersResponse>();
}

}  // namespace userservice
