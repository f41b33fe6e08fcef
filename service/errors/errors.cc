#include "service/errors/errors.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "service/errors/text.h"
#include "users/v1/errors.pb.h"

namespace userservice::errors {
namespace {

using ::users::v1::ErrorReason;

constexpr std::string_view kDomain = "users.v1";
constexpr std::string_view kUserType = "users.v1.User";
constexpr std::string_view kCauseKey = "userservice/cause";

// Together these keep the largest error, 20 violations, under 4 KiB; errors_test proves it.
constexpr size_t kViolationsMax = 20;
constexpr size_t kFieldBytesMax = 60;
constexpr size_t kDescriptionBytesMax = 100;
constexpr size_t kProblemBytesMax = 400;
constexpr size_t kEmailBytesMax = 160;

struct Metadata {
  std::string_view key;
  std::string value;
};

template <class Detail>
std::string TypeUrl() {
  return absl::StrCat(AbslView(kTypeUrlPrefix), Detail::descriptor()->full_name());
}

template <class Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

template <class Detail>
std::optional<Detail> DetailOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

absl::Status Make(absl::StatusCode code, ErrorReason reason, std::string_view message,
                  std::initializer_list<Metadata> metadata = {}) {
  absl::Status status(code, AbslView(message));
  google::rpc::ErrorInfo info;
  info.set_reason(
      std::string(absl::StripPrefix(users::v1::ErrorReason_Name(reason), "ERROR_REASON_")));
  info.set_domain(std::string(kDomain));
  for (const Metadata& entry : metadata)
    (*info.mutable_metadata())[std::string(entry.key)] = entry.value;
  Attach(status, info);
  return status;
}

void AttachUser(absl::Status& status, std::string_view name, std::string_view description) {
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(kUserType));
  resource.set_resource_name(std::string(name));
  resource.set_description(std::string(description));
  Attach(status, resource);
}

// The BadRequest of an error about one field as a whole.
void AttachViolation(absl::Status& status, std::string_view field, std::string_view description) {
  google::rpc::BadRequest bad_request;
  google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
  Attach(status, bad_request);
}

}  // namespace

absl::Status FieldsInvalid(const std::vector<FieldViolation>& violations) {
  if (violations.empty()) return Internal("FieldsInvalid without a violation");
  google::rpc::BadRequest bad_request;
  for (size_t i = 0; i < std::min(violations.size(), kViolationsMax); ++i) {
    google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
    violation->set_field(Excerpt(violations[i].field, kFieldBytesMax));
    violation->set_description(Excerpt(violations[i].description, kDescriptionBytesMax));
  }
  const auto& first = bad_request.field_violations(0);
  std::string message = absl::StrCat(first.field(), " ", first.description());
  if (violations.size() > 1) absl::StrAppend(&message, " (and ", violations.size() - 1, " more)");
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_FIELD_INVALID, message,
           {{"field", first.field()}, {"violation_count", absl::StrCat(violations.size())}});
  Attach(status, bad_request);
  return status;
}

absl::Status FilterInvalid(size_t column, std::string_view problem) {
  const std::string shown = Excerpt(problem, kProblemBytesMax);
  const std::string where = absl::StrCat("column ", column, ": ", shown);
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_FILTER_INVALID,
           absl::StrCat("filter, ", where), {{"column", absl::StrCat(column)}, {"problem", shown}});
  AttachViolation(status, "filter", where);
  return status;
}

absl::Status OrderByInvalid(std::string_view problem) {
  const std::string shown = Excerpt(problem, kProblemBytesMax);
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_ORDER_BY_INVALID,
           absl::StrCat("order_by: ", shown), {{"problem", shown}});
  AttachViolation(status, "order_by", shown);
  return status;
}

absl::Status PageTokenInvalid(std::string_view field) {
  constexpr std::string_view kProblem =
      "is not one that this service gave for this request: send it unchanged, with the same filter "
      "and order";
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_PAGE_TOKEN_INVALID,
           absl::StrCat(AbslView(field), " ", AbslView(kProblem)), {{"field", std::string(field)}});
  AttachViolation(status, field, kProblem);
  return status;
}

absl::Status UpdateMaskInvalid(std::string_view field, std::string_view path) {
  const std::string shown = Excerpt(path);
  const std::string problem = absl::StrCat(
      "names \"", shown, "\", which cannot be written; fields are name, email, age, or * for all");
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_UPDATE_MASK_INVALID,
           absl::StrCat(AbslView(field), " ", problem),
           {{"field", std::string(field)}, {"path", shown}});
  AttachViolation(status, field, problem);
  return status;
}

absl::Status RequestIdInvalid() {
  constexpr std::string_view kProblem =
      "must be empty or a version 4 UUID, 8-4-4-4-12 hexadecimal digits";
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_REQUEST_ID_INVALID,
           absl::StrCat("request_id ", AbslView(kProblem)));
  AttachViolation(status, "request_id", kProblem);
  return status;
}

absl::Status RequestIdReused(std::string_view request_id) {
  const std::string shown = Excerpt(request_id);
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_REQUEST_ID_REUSED,
           absl::StrCat("request_id ", shown, " was used before, for another request"),
           {{"request_id", shown}});
  AttachViolation(status, "request_id", "was used before, for another request");
  return status;
}

absl::Status MessageUnreadable() {
  constexpr std::string_view kProblem =
      "can not be read: it is cut off, or holds a string that is not UTF-8";
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_FIELD_INVALID,
           absl::StrCat("a message of the call ", AbslView(kProblem)));
  AttachViolation(status, "message", kProblem);
  return status;
}

absl::Status BatchTooLarge(std::string_view field, size_t size, size_t limit) {
  const std::string problem = absl::StrCat("holds ", size, " entries; the limit is ", limit);
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, users::v1::ERROR_REASON_BATCH_TOO_LARGE,
           absl::StrCat(AbslView(field), " ", problem),
           {{"field", std::string(field)},
            {"size", absl::StrCat(size)},
            {"limit", absl::StrCat(limit)}});
  AttachViolation(status, field, problem);
  return status;
}

absl::Status UserNotFound(int64_t user_id) {
  const std::string name = absl::StrCat(user_id);
  absl::Status status = Make(absl::StatusCode::kNotFound, users::v1::ERROR_REASON_USER_NOT_FOUND,
                             absl::StrCat("there is no user ", name), {{"user_id", name}});
  AttachUser(status, name, "there is no such user");
  return status;
}

absl::Status ServiceUnknown(std::string_view service) {
  const std::string shown = Excerpt(service);
  return Make(absl::StatusCode::kNotFound, users::v1::ERROR_REASON_SERVICE_UNKNOWN,
              absl::StrCat("this server has no service '", shown, "'"), {{"service", shown}});
}

absl::Status UserNotFoundByEmail(std::string_view email) {
  const std::string shown = Excerpt(email, kEmailBytesMax);
  absl::Status status = Make(
      absl::StatusCode::kNotFound, users::v1::ERROR_REASON_USER_NOT_FOUND,
      absl::StrCat("there is no user with the e-mail address \"", shown, "\""), {{"email", shown}});
  AttachUser(status, shown, "there is no such user");
  return status;
}

absl::Status EmailTaken(std::string_view email) {
  const std::string shown = Excerpt(email, kEmailBytesMax);
  absl::Status status =
      Make(absl::StatusCode::kAlreadyExists, users::v1::ERROR_REASON_EMAIL_TAKEN,
           absl::StrCat("another user has the e-mail address \"", shown, "\""), {{"email", shown}});
  AttachUser(status, shown, "another user has this e-mail address");
  return status;
}

absl::Status EtagMismatch(int64_t user_id) {
  const std::string name = absl::StrCat(user_id);
  absl::Status status =
      Make(absl::StatusCode::kAborted, users::v1::ERROR_REASON_ETAG_MISMATCH,
           absl::StrCat("user ", name, " is not at the etag sent: read it again and repeat"),
           {{"user_id", name}});
  AttachUser(status, name, "the user is not at the etag sent");
  return status;
}

absl::Status RevisionCompacted(int64_t after_revision, int64_t oldest_revision) {
  const std::string after = absl::StrCat(after_revision);
  const std::string oldest = absl::StrCat(oldest_revision);
  return Make(absl::StatusCode::kOutOfRange, users::v1::ERROR_REASON_REVISION_COMPACTED,
              absl::StrCat("not all that followed revision ", after, " is kept, but all since ",
                           oldest, ": begin again from 0"),
              {{"after_revision", after}, {"oldest_revision", oldest}});
}

absl::Status RevisionInFuture(int64_t after_revision, int64_t newest_revision) {
  const std::string after = absl::StrCat(after_revision);
  const std::string newest = absl::StrCat(newest_revision);
  return Make(
      absl::StatusCode::kOutOfRange, users::v1::ERROR_REASON_REVISION_IN_FUTURE,
      absl::StrCat("after_revision ", after, " is newer than the newest revision, ", newest),
      {{"after_revision", after}, {"newest_revision", newest}});
}

absl::Status StorageFull() {
  return Make(absl::StatusCode::kResourceExhausted, users::v1::ERROR_REASON_STORAGE_FULL,
              "the server's storage is full; nothing was written");
}

absl::Status TooManyStreams(size_t limit) {
  return Make(absl::StatusCode::kResourceExhausted, users::v1::ERROR_REASON_TOO_MANY_STREAMS,
              absl::StrCat("too many streams are open; the limit is ", limit),
              {{"limit", absl::StrCat(limit)}});
}

absl::Status Overloaded(std::string_view what, absl::Duration retry_after) {
  // The bounds keep the delay a valid google.protobuf.Duration and a sensible pushback.
  const absl::Duration delay = std::clamp(retry_after, absl::ZeroDuration(), absl::Hours(1));
  const std::string delay_ms = absl::StrCat(absl::ToInt64Milliseconds(delay));
  const std::string shown = Excerpt(what);
  absl::Status status = Make(absl::StatusCode::kUnavailable, users::v1::ERROR_REASON_OVERLOADED,
                             absl::StrCat("overloaded: ", shown, "; retry after ", delay_ms, " ms"),
                             {{"what", shown}, {"retry_after_ms", delay_ms}});
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(delay));
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(delay % absl::Seconds(1))));
  Attach(status, retry);
  return status;
}

absl::Status ShuttingDown() {
  return Make(absl::StatusCode::kUnavailable, users::v1::ERROR_REASON_SHUTTING_DOWN,
              "the server is shutting down; nothing was written");
}

absl::Status StorageUnavailable() {
  return Make(absl::StatusCode::kUnavailable, users::v1::ERROR_REASON_STORAGE_UNAVAILABLE,
              "the database cannot be read or written now");
}

absl::Status DeadlineExpired() {
  return Make(absl::StatusCode::kDeadlineExceeded, users::v1::ERROR_REASON_DEADLINE_EXPIRED,
              "the call's deadline passed");
}

absl::Status CallCancelled() {
  return Make(absl::StatusCode::kCancelled, users::v1::ERROR_REASON_CALL_CANCELLED,
              "the call was cancelled");
}

absl::Status MethodUnimplemented(std::string_view method) {
  const std::string shown = Excerpt(method);
  return Make(absl::StatusCode::kUnimplemented, users::v1::ERROR_REASON_METHOD_UNIMPLEMENTED,
              absl::StrCat("this server does not serve the method ", shown), {{"method", shown}});
}

absl::Status Internal(std::string_view cause) {
  return WithCause(
      Make(absl::StatusCode::kInternal, users::v1::ERROR_REASON_INTERNAL, "internal error"), cause);
}

absl::Status WithCause(absl::Status status, std::string_view cause) {
  status.SetPayload(AbslView(kCauseKey), absl::Cord(AbslView(cause)));
  return status;
}

std::string CauseOf(const absl::Status& status) {
  const absl::optional<absl::Cord> cause = status.GetPayload(AbslView(kCauseKey));
  return cause.has_value() ? std::string(*cause) : std::string();
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return info.has_value() && info->domain() == kDomain ? info->reason() : std::string();
}

absl::Duration RetryAfterOf(const absl::Status& status) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  if (!retry.has_value()) return absl::ZeroDuration();
  return absl::Seconds(retry->retry_delay().seconds()) +
         absl::Nanoseconds(retry->retry_delay().nanos());
}

}  // namespace userservice::errors
