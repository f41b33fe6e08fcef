#include "service/rpc/call.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "async/stop.h"
#include "service/errors/errors.h"
#include "service/rpc/answer_burst.h"
#include "service/rpc/status.h"
#include "spdlog/spdlog.h"

namespace userservice::rpc {
namespace {

constexpr std::string_view kTimingTrailer = "server-timing";
constexpr std::string_view kTimingRequest = "x-server-timing";
constexpr std::string_view kRequestIdHeader = "x-request-id";
constexpr size_t kRequestIdBytesMax = 64;

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

// The server could not, or would not: what its operator wants to know of, once a second at most.
bool IsRefusal(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ||
         (absl::IsUnavailable(status) && errors::ReasonOf(status) != "SHUTTING_DOWN");
}

absl::Status HandlerThrew(const char* what) {
  return errors::Internal(absl::StrCat("the handler threw: ", what));
}

}  // namespace

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
  host_.AddObject();
}

CallLife::~CallLife() { host_.RemoveObject(); }

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
  Run();
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

// Nobody awaits it: it ends by handing the answer to gRPC.
internal::Detached CallLife::Run() {
  co_await internal::AdoptStopToken(stop_token_);
  const absl::Time start = absl::Now();
  const std::chrono::system_clock::time_point deadline = context().deadline();
  if (deadline != std::chrono::system_clock::time_point::max())
    deadline_ = absl::FromChrono(deadline);
  wants_timing_ = MetadataOf(kTimingRequest) == "1";

  // What is refused is no work: it neither fills a limit nor holds a drain while its answer is
  // sent.
  absl::Status status = host_.Admit(kind_);
  is_admitted_ = status.ok();
  // Requests that waited in gRPC's own queue may arrive with nobody waiting for them any more.
  if (is_admitted_ && deadline_ <= start) {
    status = errors::DeadlineExpired();
  } else if (is_admitted_) {
    try {
      status = co_await Handle();
    } catch (const std::exception& exception) {
      status = HandlerThrew(exception.what());
    } catch (...) {
      status = HandlerThrew("an exception of an unknown type");
    }
  }
  Answer(status, absl::Now() - start);
}

void CallLife::Answer(const absl::Status& status, absl::Duration took) {
  AddTiming("total", took);
  if (!timing_.empty()) context().AddTrailingMetadata(std::string(kTimingTrailer), timing_);
  Log(status, took);
  JoinAnswerBurst(context());
  if (status.ok()) {
    Finish(grpc::Status::OK, finished_.tag());
    return;
  }
  if (const auto pushback = PushbackMs(status)) {
    context().AddTrailingMetadata("grpc-retry-pushback-ms", *pushback);
  }
  Finish(ToGrpcStatus(status, id()), finished_.tag());
}

void CallLife::OnFinished() {
  if (is_admitted_) host_.End(kind_);
  Release();
}

void CallLife::Log(const absl::Status& status, absl::Duration took) {
  const std::string reason = status.ok() ? "" : errors::ReasonOf(status);
  const bool is_defect =
      !status.ok() && (reason.empty() || status.code() == absl::StatusCode::kInternal);
  const auto level = is_defect ? spdlog::level::err : spdlog::level::debug;
  if (spdlog::should_log(level)) {
    spdlog::log(level, "{} {}{}{} {:.3f} ms id={}{}", method(),
                absl::StatusCodeToString(status.code()), reason.empty() ? "" : "/", reason,
                absl::ToDoubleMilliseconds(took), id(), CauseForLog(status));
  }
  if (!IsRefusal(status)) return;
  if (const std::optional<int64_t> refusals = host_.CountRefusal(absl::Now())) {
    spdlog::warn("{} calls refused since the last such line; the latest: {} {}/{} id={}{}",
                 *refusals, method(), absl::StatusCodeToString(status.code()), reason, id(),
                 CauseForLog(status));
  }
}

}  // namespace userservice::rpc
