#include "service/rpc/call.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "async/spawn.h"
#include "async/stop.h"
#include "service/errors/errors.h"
#include "service/rpc/status.h"
#include "spdlog/spdlog.h"

namespace userservice::rpc {
namespace {

constexpr std::string_view kTimingTrailer = "server-timing";
constexpr std::string_view kTimingRequest = "x-server-timing";
constexpr std::string_view kRequestIdHeader = "x-request-id";
constexpr size_t kRequestIdBytesMax = 64;
constexpr absl::Duration kOverloadRetryAfter = absl::Milliseconds(100);

bool IsPlainId(std::string_view id) {
  const auto is_plain = [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), is_plain);
}

std::string RandomId() {
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(random));
}

// What the caller is not told, as the end of a log line.
std::string CauseForLog(const absl::Status& status) {
  if (status.ok()) return "";
  const bool from_catalogue = !errors::ReasonOf(status).empty();
  const std::string cause = from_catalogue ? errors::CauseOf(status) : status.ToString();
  return cause.empty() ? "" : absl::StrCat(": ", WithoutEmails(cause));
}

}  // namespace

bool CallHost::WaitForNoCalls(absl::Time deadline) {
  const auto no_calls = [this] { return live_calls() == 0; };
  const absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(&no_calls), deadline);
}

void CallHost::End(std::atomic<int64_t>& live) {
  if (live.fetch_sub(1) != 1) return;
  const absl::MutexLock look_again(&mutex_);
}

void CallHost::WaitForNoObjects() {
  for (int64_t n = objects_.load(); n != 0; n = objects_.load()) objects_.wait(n);
}

const std::string& Call::id() {
  if (id_.empty()) {
    const std::string_view sent = MetadataOf(kRequestIdHeader);
    id_ = IsPlainId(sent) ? std::string(sent) : RandomId();
  }
  return id_;
}

void Call::AddTiming(std::string_view name, absl::Duration duration) {
  if (!wants_timing_) return;
  absl::StrAppend(&timing_, timing_.empty() ? "" : ", ",
                  absl::StrFormat("%s;dur=%.3f", name, absl::ToDoubleMilliseconds(duration)));
}

CallLife::CallLife(CallHost& host, std::string_view method, CallKind kind)
    : host_(host), method_(method), kind_(kind) {
  host_.objects_.fetch_add(1);
}

CallLife::~CallLife() {
  if (host_.objects_.fetch_sub(1) == 1) host_.objects_.notify_all();
}

void CallLife::Arm() {
  context().AsyncNotifyWhenDone(done_.tag());
  Request(accepted_.tag());
}

void CallLife::OnAccepted(bool ok) {
  if (!ok) {  // the server shuts down
    delete this;
    return;
  }
  // First of all: a method with no armed call leaves its clients waiting.
  ArmAnother();
  Spawn(Run());
}

void CallLife::OnDone() {
  if (context().IsCancelled()) stop_source_.request_stop();
  Release();
}

void CallLife::Release() {
  if (--holders_ == 0) delete this;
}

std::string_view CallLife::MetadataOf(std::string_view key) const {
  const auto& metadata = context().client_metadata();
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return {};
  return std::string_view(found->second.data(), found->second.size());
}

absl::Status CallLife::Admit() {
  if (kind_ == CallKind::kUnlimited) return absl::OkStatus();
  if (host_.draining().stop_requested()) return errors::ShuttingDown();
  // Requests that waited in gRPC's own queue may arrive with nobody waiting for them any more.
  if (deadline_ <= absl::Now()) return errors::DeadlineExpired();
  // This call is counted already.
  if (kind_ == CallKind::kStream) {
    const bool full = host_.live_streams_.load() > host_.streams_max_;
    return full ? errors::TooManyStreams(static_cast<size_t>(host_.streams_max_))
                : absl::OkStatus();
  }
  const bool full = host_.live_calls_.load() > host_.calls_max_;
  return full ? errors::Overloaded("too many calls", kOverloadRetryAfter) : absl::OkStatus();
}

Task<absl::Status> CallLife::HandleAndCatch() {
  std::string thrown;
  try {
    co_return co_await Handle();
  } catch (const std::exception& exception) {
    thrown = exception.what();
  } catch (...) {
    thrown = "an exception of an unknown type";
  }
  co_return errors::Internal(absl::StrCat("the handler threw: ", thrown));
}

Task<void> CallLife::Run() {
  co_await internal::AdoptStopToken(stop_token_);
  const absl::Time start = absl::Now();
  std::atomic<int64_t>& live = kind_ == CallKind::kStream ? host_.live_streams_ : host_.live_calls_;
  live.fetch_add(1);
  const std::chrono::system_clock::time_point deadline = context().deadline();
  if (deadline != std::chrono::system_clock::time_point::max())
    deadline_ = absl::FromChrono(deadline);
  wants_timing_ = MetadataOf(kTimingRequest) == "1";

  absl::Status status = Admit();
  const bool is_admitted = status.ok();
  // What is refused is no work: it neither fills a limit nor holds a drain while its answer is
  // sent.
  if (!is_admitted) host_.End(live);
  if (is_admitted) status = co_await HandleAndCatch();

  const absl::Duration took = absl::Now() - start;
  AddTiming("total", took);
  if (!timing_.empty()) context().AddTrailingMetadata(std::string(kTimingTrailer), timing_);
  if (const auto pushback = PushbackMs(status)) {
    context().AddTrailingMetadata("grpc-retry-pushback-ms", *pushback);
  }
  Log(status, took);
  const grpc::Status answer = status.ok() ? grpc::Status::OK : ToGrpcStatus(status, id());
  co_await Finish(answer);
  if (is_admitted) host_.End(live);
  Release();
}

void CallLife::Log(const absl::Status& status, absl::Duration took) {
  const std::string reason = status.ok() ? "" : errors::ReasonOf(status);
  const bool is_defect =
      !status.ok() && (reason.empty() || status.code() == absl::StatusCode::kInternal);
  const auto level = is_defect ? spdlog::level::err
                     : status.code() == absl::StatusCode::kUnavailable ||
                             status.code() == absl::StatusCode::kResourceExhausted
                         ? spdlog::level::warn
                         : spdlog::level::debug;
  if (!spdlog::should_log(level)) return;
  spdlog::log(level, "{} {}{}{} {:.3f} ms id={}{}", method(),
              absl::StatusCodeToString(status.code()), reason.empty() ? "" : "/", reason,
              absl::ToDoubleMilliseconds(took), id(), CauseForLog(status));
}

}  // namespace userservice::rpc
