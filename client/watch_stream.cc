#include "client/watch_stream.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "client/server_stream.h"

namespace userservice {

using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

namespace {

constexpr absl::Duration kPauseMin = absl::Milliseconds(100);
constexpr absl::Duration kPauseMax = absl::Seconds(10);

// Between two attempts, of which `in_vain` brought nothing: doubled each time, and a fifth more or
// less, so that the clients of a server that was restarted do not come all at once.
absl::Duration PauseAfter(int in_vain) {
  thread_local std::minstd_rand random(std::random_device{}());
  constexpr int kDoublingsMax = 10;  // far beyond kPauseMax
  const absl::Duration pause =
      std::min(kPauseMin * (1 << std::min(in_vain, kDoublingsMax)), kPauseMax);
  return pause * std::uniform_real_distribution<double>(0.8, 1.2)(random);
}

}  // namespace

class WatchStream::State {
 public:
  State(internal::Core* core, const WatchUsersRequest& request, const CallOptions& options)
      : core_(core), request_(request), options_(options) {}
  ~State() { Call::Drop(std::move(call_)); }

  // The next message of this call or of a new one; or how it ended.
  Task<absl::StatusOr<WatchUsersResponse>> NextOfCall() {
    if (call_ == nullptr) Connect();
    absl::StatusOr<std::optional<WatchUsersResponse>> message = co_await call_->Next();
    if (message.ok() && message->has_value()) {
      Take(**message);
      co_return *std::move(*message);
    }
    call_.reset();
    // The feed has no end: a server that ends it is on its way out.
    if (message.ok()) co_return absl::UnavailableError("the server ended the change feed");
    co_return message.status();
  }

  // Whether another call may bring what one that ended so did not.
  bool MayGoOn(const absl::Status& ended) {
    ++in_vain_;
    const bool somebody_was_there = has_message_ || in_vain_ < core_->options().attempts_max;
    return ended.code() == absl::StatusCode::kUnavailable && somebody_was_there;
  }
  Task<bool> Pause() { return core_->loop().Sleep(PauseAfter(in_vain_ - 1)); }

  const std::optional<absl::Status>& failure() const { return failure_; }
  void Fail(absl::Status failure) { failure_ = std::move(failure); }

 private:
  using Call = internal::ServerStream<WatchUsersRequest, WatchUsersResponse>;

  void Connect() {
    CallOptions options = options_;
    if (options_.deadline.has_value()) {
      if (!ends_.has_value()) ends_ = absl::Now() + *options_.deadline;
      options.deadline = *ends_ - absl::Now();
    }
    call_ = std::make_unique<Call>(core_, &internal::UserStub::PrepareAsyncWatchUsers, "WatchUsers",
                                   request_, std::move(options), absl::InfiniteDuration());
  }

  void Take(const WatchUsersResponse& message) {
    in_vain_ = 0;
    has_message_ = true;
    request_.set_after_revision(message.revision());
  }

  internal::Core* const core_;
  WatchUsersRequest request_;  // of the next call
  const CallOptions options_;
  std::optional<absl::Time> ends_;
  std::unique_ptr<Call> call_;
  bool has_message_ = false;
  int in_vain_ = 0;  // calls that ended since the last message
  std::optional<absl::Status> failure_;
};

WatchStream::WatchStream(internal::Core* core, const WatchUsersRequest& request,
                         const CallOptions& options)
    : state_(std::make_unique<State>(core, request, options)) {}

WatchStream::WatchStream(WatchStream&& other) noexcept = default;

WatchStream& WatchStream::operator=(WatchStream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

WatchStream::~WatchStream() = default;

Task<absl::StatusOr<WatchUsersResponse>> WatchStream::Next() { return NextOf(state_.get()); }

Task<absl::StatusOr<WatchUsersResponse>> WatchStream::NextOf(State* state) {
  while (!state->failure().has_value()) {
    absl::StatusOr<WatchUsersResponse> message = co_await state->NextOfCall();
    if (message.ok()) co_return std::move(message);
    if (!state->MayGoOn(message.status())) {
      state->Fail(message.status());
      break;
    }
    const bool paused = co_await state->Pause();
    if (!paused) state->Fail(absl::CancelledError("stopped between two calls"));
  }
  co_return *state->failure();
}

}  // namespace userservice
