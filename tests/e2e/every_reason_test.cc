// Every published reason, from the enum's own descriptor: how a client sees it, and that it tells
// what the contract says and nothing else. A reason that is added fails here until it has a case.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "service/rpc/status.h"
#include "tests/e2e/failing_calls.h"
#include "users/v1/errors.pb.h"

namespace userservice {
namespace {

using failing::Ending;
using failing::FailingWorld;
using ::testing::HasSubstr;
using ::testing::Not;
using users::v1::ErrorReason;

// What the contract says of a reason.
struct Expected {
  grpc::StatusCode code;
  // Makes the service answer so; none: it is not sent yet, since what it is for is not there.
  Ending (*provoke)(FailingWorld& world);
  std::map<std::string, std::string> metadata;  // exactly
  std::vector<std::string> fields;              // of BadRequest
  std::string resource;                         // of ResourceInfo
  bool has_retry = false;
};

constexpr Ending (*kNotSentYet)(FailingWorld&) = nullptr;

const std::map<ErrorReason, Expected>& Contract() {
  using grpc::StatusCode;
  static const auto* const contract = new std::map<ErrorReason, Expected>{
      {users::v1::ERROR_REASON_FIELD_INVALID,
       {StatusCode::INVALID_ARGUMENT,
        failing::FieldInvalid,
        {{"field", "user.age"}, {"violation_count", "1"}},
        {"user.age"}}},
      {users::v1::ERROR_REASON_FILTER_INVALID,
       {StatusCode::INVALID_ARGUMENT,
        failing::FilterInvalid,
        {{"column", "13"},
         {"problem",
          "unknown field 'shoe_size'; fields are user_id, name, email, age, "
          "create_time, update_time"}},
        {"filter"}}},
      {users::v1::ERROR_REASON_ORDER_BY_INVALID,
       {StatusCode::INVALID_ARGUMENT,
        failing::OrderByInvalid,
        {{"problem",
          "unknown field 'shoe_size'; fields are user_id, name, email, age, "
          "create_time, update_time"}},
        {"order_by"}}},
      {users::v1::ERROR_REASON_PAGE_TOKEN_INVALID,
       {StatusCode::INVALID_ARGUMENT,
        failing::PageTokenInvalid,
        {{"field", "page_token"}},
        {"page_token"}}},
      {users::v1::ERROR_REASON_UPDATE_MASK_INVALID,
       {StatusCode::INVALID_ARGUMENT,
        failing::UpdateMaskInvalid,
        {{"field", "update_mask"}, {"path", "shoe_size"}},
        {"update_mask"}}},
      {users::v1::ERROR_REASON_REQUEST_ID_INVALID,
       {StatusCode::INVALID_ARGUMENT, failing::RequestIdInvalid, {}, {"request_id"}}},
      {users::v1::ERROR_REASON_REQUEST_ID_REUSED,
       {StatusCode::INVALID_ARGUMENT,
        failing::RequestIdReused,
        {{"request_id", failing::kRequestId}},
        {"request_id"}}},
      {users::v1::ERROR_REASON_BATCH_TOO_LARGE,
       {StatusCode::INVALID_ARGUMENT,
        failing::BatchTooLarge,
        {{"field", "user_ids"}, {"limit", "1000"}, {"size", "1001"}},
        {"user_ids"}}},
      {users::v1::ERROR_REASON_USER_NOT_FOUND,
       {StatusCode::NOT_FOUND, failing::UserNotFound, {{"user_id", "4242"}}, {}, "4242"}},
      {users::v1::ERROR_REASON_EMAIL_TAKEN,
       {StatusCode::ALREADY_EXISTS,
        failing::EmailTaken,
        {{"email", "ann@example.com"}},
        {},
        "ann@example.com"}},
      {users::v1::ERROR_REASON_ETAG_MISMATCH,
       {StatusCode::ABORTED, failing::EtagMismatch, {{"user_id", "2"}}, {}, "2"}},
      {users::v1::ERROR_REASON_REVISION_COMPACTED,
       {StatusCode::OUT_OF_RANGE,
        failing::RevisionCompacted,
        {{"after_revision", "5"}, {"oldest_revision", "7"}}}},
      {users::v1::ERROR_REASON_REVISION_IN_FUTURE,
       {StatusCode::OUT_OF_RANGE,
        failing::RevisionInFuture,
        {{"after_revision", "1000"}, {"newest_revision", "2"}}}},
      {users::v1::ERROR_REASON_STORAGE_FULL,
       {StatusCode::RESOURCE_EXHAUSTED, failing::StorageFull}},
      {users::v1::ERROR_REASON_TOO_MANY_STREAMS,
       {StatusCode::RESOURCE_EXHAUSTED, failing::TooManyStreams, {{"limit", "1"}}}},
      {users::v1::ERROR_REASON_RATE_LIMITED,
       {StatusCode::RESOURCE_EXHAUSTED, kNotSentYet, {}, {}, "", /*has_retry=*/true}},
      {users::v1::ERROR_REASON_OVERLOADED,
       {StatusCode::UNAVAILABLE,
        failing::Overloaded,
        {{"what", "too many calls"}, {"retry_after_ms", "*"}},
        {},
        "",
        /*has_retry=*/true}},
      {users::v1::ERROR_REASON_SHUTTING_DOWN, {StatusCode::UNAVAILABLE, failing::ShuttingDown}},
      {users::v1::ERROR_REASON_STORAGE_UNAVAILABLE,
       {StatusCode::UNAVAILABLE, failing::StorageUnavailable}},
      {users::v1::ERROR_REASON_DEADLINE_EXPIRED,
       {StatusCode::DEADLINE_EXCEEDED, failing::DeadlineExpired}},
      {users::v1::ERROR_REASON_CALL_CANCELLED, {StatusCode::CANCELLED, failing::CallCancelled}},
      {users::v1::ERROR_REASON_INTERNAL, {StatusCode::INTERNAL, failing::Internal}},
      {users::v1::ERROR_REASON_CREDENTIALS_INVALID, {StatusCode::UNAUTHENTICATED, kNotSentYet}},
      {users::v1::ERROR_REASON_PERMISSION_DENIED, {StatusCode::PERMISSION_DENIED, kNotSentYet}},
      {users::v1::ERROR_REASON_METHOD_UNIMPLEMENTED,
       {StatusCode::UNIMPLEMENTED,
        failing::MethodUnimplemented,
        {{"method", "/users.v1.UserService/Nope"}}}},
      {users::v1::ERROR_REASON_SERVICE_UNKNOWN,
       {StatusCode::NOT_FOUND, failing::ServiceUnknown, {{"service", "nobody.v1.Nothing"}}}},
  };
  return *contract;
}

std::string NameWithoutPrefix(const google::protobuf::EnumValueDescriptor& value) {
  return value.name().substr(std::string("ERROR_REASON_").size());
}

// How rpc/ answers with a reason that nothing in the service gives yet.
Ending Translated(const Expected& expected, const std::string& reason) {
  absl::Status status(static_cast<absl::StatusCode>(expected.code), "not sent yet");
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("users.v1");
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo",
                    absl::Cord(info.SerializeAsString()));
  if (expected.has_retry) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_nanos(250'000'000);
    status.SetPayload("type.googleapis.com/google.rpc.RetryInfo",
                      absl::Cord(retry.SerializeAsString()));
  }
  return {rpc::ToGrpcStatus(status, "38fe40a062d81772"), rpc::PushbackMs(status).value_or("")};
}

// What holds for every error there is.
void ExpectEnvelope(const grpc::Status& status, const std::string& database) {
  EXPECT_LE(status.error_details().size(), 4096U);
  const google::rpc::Status details = DetailsOf(status);
  std::map<std::string, int> times;
  for (const auto& any : details.details()) EXPECT_EQ(++times[any.type_url()], 1) << any.type_url();
  EXPECT_EQ(InfoOf(status).domain(), "users.v1");
  const auto request = DetailOf<google::rpc::RequestInfo>(status);
  ASSERT_TRUE(request.has_value());
  EXPECT_NE(request->request_id(), "");
  const std::string all = status.error_message() + status.error_details();
  for (const char* secret :
       {"SELECT",   "INSERT",     "UPDATE ",     "DELETE ",       "FROM",
        "WHERE",    "PRAGMA",     "COMMIT",      "TABLE",         "sqlite",
        "SQLite",   "tombstones", "request_ids", "service_state", "constraint",
        "UNIQUE",   ".db",        "/tmp",        ".cc",           failing::kOthersEmail,
        "Bystander"}) {
    EXPECT_THAT(all, Not(HasSubstr(secret)));
  }
  EXPECT_THAT(all, Not(HasSubstr(std::filesystem::path(database).parent_path().string())));
}

void ExpectMetadata(const grpc::Status& status,
                    const std::map<std::string, std::string>& expected) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  std::map<std::string, std::string> metadata(info.metadata().begin(), info.metadata().end());
  for (const auto& [key, value] : metadata)
    EXPECT_THAT(status.error_message(), HasSubstr(key == "violation_count" ? "" : value));
  for (const auto& [key, value] : expected)
    if (value == "*" && metadata.contains(key)) metadata[key] = value;
  EXPECT_EQ(metadata, expected);
}

void ExpectRetry(const Ending& ending, bool is_due) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(ending.status);
  EXPECT_EQ(retry.has_value(), is_due);
  EXPECT_EQ(!ending.pushback_ms.empty(), is_due);
  if (!is_due || !retry.has_value()) return;
  const int64_t delay_ms =
      retry->retry_delay().seconds() * 1000 + retry->retry_delay().nanos() / 1'000'000;
  EXPECT_GT(delay_ms, 0);
  EXPECT_EQ(ending.pushback_ms, absl::StrCat(delay_ms));
}

TEST(EveryReasonTest, IsAnsweredAsTheContractSays) {
  const google::protobuf::EnumDescriptor& reasons = *users::v1::ErrorReason_descriptor();
  ASSERT_GE(reasons.value_count(), 27);
  for (int i = 0; i < reasons.value_count(); ++i) {
    const google::protobuf::EnumValueDescriptor& value = *reasons.value(i);
    SCOPED_TRACE(value.name());
    if (value.number() == users::v1::ERROR_REASON_UNSPECIFIED) continue;  // never sent
    const auto found = Contract().find(static_cast<ErrorReason>(value.number()));
    ASSERT_NE(found, Contract().end()) << "a published reason without a case";
    const Expected& expected = found->second;
    const std::string reason = NameWithoutPrefix(value);

    FailingWorld world;
    const Ending ending =
        expected.provoke == kNotSentYet ? Translated(expected, reason) : expected.provoke(world);
    const grpc::Status& status = ending.status;
    EXPECT_EQ(status.error_code(), expected.code) << status.error_message();
    EXPECT_EQ(InfoOf(status).reason(), reason);
    ExpectEnvelope(status, world.app.database());
    ExpectMetadata(status, expected.metadata);
    EXPECT_EQ(ViolatedFields(status), expected.fields);
    const auto resource = DetailOf<google::rpc::ResourceInfo>(status);
    EXPECT_EQ(resource.has_value() ? resource->resource_name() : "", expected.resource);
    ExpectRetry(ending, expected.has_retry);
  }
}

}  // namespace
}  // namespace userservice
