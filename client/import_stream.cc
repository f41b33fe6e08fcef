#include "client/import_stream.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <stop_token>
#include <utility>

#include "absl/time/clock.h"
#include "async/broadcast.h"
#include "async/completion_loop.h"
#include "async/gather.h"
#include "async/spawn.h"
#include "async/stop.h"
#include "client/call.h"
#include "client/core.h"
#include "client/request_id.h"
#include "client/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/async_stream.h"

namespace userservice {

using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;

namespace {

constexpr absl::Duration kImportPauseMax = absl::Seconds(5);

// One call of an import, and everything that gRPC holds pointers to while it is open.
struct ImportCall {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<ImportUsersRequest, ImportUsersResponse>> stream;
  bool over = false;     // nothing more can be read
  bool in_order = true;  // the server answered the oldest chunk each time
};

}  // namespace

const ImportOptions& ImportOptions::Default() {
  static const ImportOptions options;
  return options;
}

// What the user's side and the side of the calls share. Touched on the loop's thread alone, so that
// neither needs a lock: both go on there whatever they waited for.
class ImportStream::State {
 public:
  State(internal::Core* core, ImportOptions options) : core_(core), options_(std::move(options)) {}

  internal::Core& core() { return *core_; }
  // Ends the side of the calls. Any thread.
  void Abandon() { abandoned_.request_stop(); }
  const std::stop_source& abandoned() const { return abandoned_; }

  // For the user's side.
  bool has_room() const {
    return chunks_.size() + outcomes_.size() < static_cast<size_t>(options_.window_chunks);
  }
  bool has_outcome() const { return !outcomes_.empty(); }
  const std::optional<absl::Status>& end() const { return end_; }
  bool begun() const { return begun_; }
  void Begin() { begun_ = true; }
  void Add(ImportUsersRequest chunk);
  Outcome TakeOutcome();
  void WritesDone();
  // co_await: false if the awaiting task is asked to stop.
  Broadcast::Waiter Change() { return changes_.WaitFor(changes_.value() + 1); }

  // For the side of the calls. One call from beginning to end.
  Task<absl::Status> RunCall();
  // Nothing is left to be answered, and nothing will come.
  bool AllAnswered() const { return writes_done_ && chunks_.empty(); }
  bool idle() const { return !writes_done_ && chunks_.empty(); }
  // Whether to try again after this error, and after which pause.
  bool MayResume(const absl::Status& status, bool in_vain);
  absl::Duration Pause(const absl::Status& status) const;
  size_t answered() const { return answered_; }
  void End(absl::Status status);

 private:
  Task<bool> Send(ImportCall& call);
  Task<bool> Receive(ImportCall& call);
  bool Answer(ImportUsersResponse response);
  void Changed() { changes_.Publish(changes_.value() + 1); }
  CallOptions CallOptionsNow();

  internal::Core* const core_;
  const ImportOptions options_;
  std::stop_source abandoned_;
  Broadcast changes_;

  bool begun_ = false;
  bool writes_done_ = false;
  int64_t last_sequence_ = 0;
  std::deque<ImportUsersRequest> chunks_;     // not answered, the oldest first
  size_t sent_ = 0;                           // of these, on the call that is open
  std::deque<ImportUsersResponse> outcomes_;  // not given
  size_t answered_ = 0;
  bool reached_ = false;  // a call has left this host
  int in_vain_ = 0;
  std::optional<absl::Time> deadline_;
  std::optional<absl::Status> end_;
};

void ImportStream::State::Add(ImportUsersRequest chunk) {
  if (chunk.sequence() == 0) chunk.set_sequence(last_sequence_ + 1);
  if (chunk.request_id().empty()) chunk.set_request_id(NewRequestId());
  last_sequence_ = chunk.sequence();
  chunks_.push_back(std::move(chunk));
  Changed();
}

ImportStream::Outcome ImportStream::State::TakeOutcome() {
  if (outcomes_.empty()) return {};
  Outcome outcome(std::move(outcomes_.front()));
  outcomes_.pop_front();
  return outcome;
}

void ImportStream::State::WritesDone() {
  if (writes_done_) return;
  writes_done_ = true;
  Changed();
}

void ImportStream::State::End(absl::Status status) {
  end_ = std::move(status);
  Changed();
}

bool ImportStream::State::MayResume(const absl::Status& status, bool in_vain) {
  in_vain_ = in_vain ? in_vain_ + 1 : 0;
  const bool may_come = reached_ || options_.call.wait_for_ready;
  return status.code() == absl::StatusCode::kUnavailable && may_come &&
         in_vain_ < options_.attempts_in_vain_max;
}

absl::Duration ImportStream::State::Pause(const absl::Status& status) const {
  const int doublings = std::clamp(in_vain_ - 1, 0, 16);
  const absl::Duration pause =
      std::min(kImportPauseMax, options_.first_pause * (int64_t{1} << doublings));
  return std::max(pause, RetryDelayOf(status));
}

// The deadline is that of the whole import.
CallOptions ImportStream::State::CallOptionsNow() {
  CallOptions options = options_.call;
  const absl::Time now = absl::Now();
  if (!deadline_.has_value())
    deadline_ = now + options.deadline.value_or(core_->options().stream_deadline);
  options.deadline = *deadline_ - now;
  return options;
}

Task<absl::Status> ImportStream::State::RunCall() {
  const std::stop_token stop = co_await CurrentStopToken();
  const CallOptions options = CallOptionsNow();
  const absl::Time start = absl::Now();
  ImportCall call;
  internal::Prepare(call.context, options, absl::InfiniteDuration());
  sent_ = 0;
  grpc::Status grpc_status;
  {
    const internal::CancelOnStop cancel_on_stop(stop, internal::TryCancel{&call.context});
    call.stream = core_->plain().PrepareAsyncImportUsers(&call.context, core_->queue());
    auto start_call = [&](void* tag) { call.stream->StartCall(tag); };
    // Not ok: the call does not go to the wire. Source: grpc::CompletionQueue::Next.
    const bool on_the_wire = co_await StartOperation(start_call);
    if (on_the_wire) {
      reached_ = true;
      co_await GatherOutcomes(Send(call), Receive(call));
    }
    auto finish = [&](void* tag) { call.stream->Finish(&grpc_status, tag); };
    co_await StartOperation(finish);
  }
  absl::Status status = StatusFromGrpc(grpc_status);
  if (!call.in_order)
    status = absl::InternalError("the server answered a chunk that it was not sent");
  internal::Observe(options, "ImportUsers", start, call.context, status);
  if (status.ok() && !AllAnswered())
    status = absl::InternalError("the server ended the import before it was done");
  co_return status;
}

// Until everything is sent, or the call is over.
Task<bool> ImportStream::State::Send(ImportCall& call) {
  for (;;) {
    while (!call.over && sent_ == chunks_.size() && !writes_done_) {
      const bool go_on = co_await Change();
      if (!go_on) co_return false;
    }
    if (call.over) co_return false;
    const bool all_sent = sent_ == chunks_.size();
    // The answer may come before the tag of the write does: counted first.
    const ImportUsersRequest* const chunk = all_sent ? nullptr : &chunks_[sent_++];
    auto send = [&call, chunk](void* tag) {
      if (chunk == nullptr) return call.stream->WritesDone(tag);
      call.stream->Write(*chunk, tag);  // serialises it at once: it may go when it is answered
    };
    const bool written = co_await StartOperation(send);
    if (all_sent || !written) co_return written;
  }
}

// Until the server has nothing more to say. Always reading: the server, which waits for nobody to
// read, can then always take the chunk that is written.
Task<bool> ImportStream::State::Receive(ImportCall& call) {
  for (;;) {
    ImportUsersResponse response;
    auto read = [&](void* tag) { call.stream->Read(&response, tag); };
    const bool was_read = co_await StartOperation(read);
    if (!was_read) break;
    if (call.in_order && Answer(std::move(response))) continue;
    call.in_order = false;
    call.context.TryCancel();
  }
  call.over = true;
  Changed();
  co_return true;
}

bool ImportStream::State::Answer(ImportUsersResponse response) {
  if (sent_ == 0 || chunks_.front().sequence() != response.sequence()) return false;
  chunks_.pop_front();
  --sent_;
  ++answered_;
  outcomes_.push_back(std::move(response));
  Changed();
  return true;
}

// One call after another, until every chunk is answered.
Task<void> ImportStream::Run(std::shared_ptr<State> state) {
  const internal::LiveCall alive(state->core());
  absl::Status status;
  for (bool go_on = true; go_on;) {
    while (state->idle() && go_on) go_on = co_await state->Change();
    if (!go_on || state->AllAnswered()) break;
    const size_t answered_before = state->answered();
    status = co_await state->RunCall();
    if (state->AllAnswered()) break;
    if (!state->MayResume(status, state->answered() == answered_before)) break;
    go_on = co_await state->core().loop().Sleep(state->Pause(status));
  }
  // Once all are answered, how the call ended does not matter: they are durable.
  state->End(state->AllAnswered() ? absl::OkStatus() : std::move(status));
}

ImportStream::ImportStream(internal::Core* core, const ImportOptions& options)
    : state_(std::make_shared<State>(core, options)) {}

ImportStream::ImportStream(ImportStream&& other) noexcept = default;

ImportStream& ImportStream::operator=(ImportStream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

ImportStream::~ImportStream() {
  if (state_ != nullptr) state_->Abandon();
}

Task<absl::StatusOr<ImportStream::Outcome>> ImportStream::Write(const ImportUsersRequest& chunk) {
  return WriteTo(state_, chunk);
}

Task<absl::StatusOr<ImportStream::Outcome>> ImportStream::Next() { return NextOf(state_); }

Task<absl::StatusOr<ImportStream::Outcome>> ImportStream::WriteTo(std::shared_ptr<State> state,
                                                                  ImportUsersRequest chunk) {
  co_await state->core().loop().Schedule();
  while (!state->has_room() && !state->has_outcome() && !state->end().has_value()) {
    const bool go_on = co_await state->Change();
    if (!go_on) co_return absl::CancelledError("stopped while the import's window was full");
  }
  if (state->end().has_value() && !state->has_outcome()) {
    if (!state->end()->ok()) co_return *state->end();
    co_return absl::FailedPreconditionError("the import has ended");
  }
  Outcome outcome = state->TakeOutcome();
  state->Add(std::move(chunk));
  if (!state->begun()) {
    state->Begin();
    Spawn(WithStopToken(state->abandoned().get_token(), Run(state)));
  }
  co_return outcome;
}

Task<absl::StatusOr<ImportStream::Outcome>> ImportStream::NextOf(std::shared_ptr<State> state) {
  co_await state->core().loop().Schedule();
  state->WritesDone();
  while (state->begun() && !state->has_outcome() && !state->end().has_value()) {
    const bool go_on = co_await state->Change();
    if (!go_on) co_return absl::CancelledError("stopped while the import waited for an outcome");
  }
  if (!state->has_outcome() && state->begun() && !state->end()->ok()) co_return *state->end();
  co_return state->TakeOutcome();
}

}  // namespace userservice
