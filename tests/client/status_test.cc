#include "client/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace userservice {
namespace {

grpc::Status WithDetails() {
  google::rpc::ErrorInfo info;
  info.set_reason("FIELD_INVALID");
  info.set_domain("users.v1");
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("user.email");
  violation->set_description("must hold one @");
  google::rpc::RequestInfo request_info;
  request_info.set_request_id("abc123");
  google::rpc::Status status;
  status.set_code(3);
  status.set_message("user.email must hold one @");
  status.add_details()->PackFrom(info);
  status.add_details()->PackFrom(bad_request);
  status.add_details()->PackFrom(request_info);
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, status.message(),
                      status.SerializeAsString());
}

TEST(Status, KeepsCodeAndMessage) {
  const absl::Status status = StatusFromGrpc(WithDetails());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "user.email must hold one @");
}

TEST(Status, KeepsEachDetailAsAPayload) {
  const absl::Status status = StatusFromGrpc(WithDetails());
  EXPECT_EQ(ReasonOf(status), "FIELD_INVALID");
  EXPECT_EQ(RequestIdOf(status), "abc123");
  const std::vector<FieldViolation> violations = FieldViolationsOf(status);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].field, "user.email");
  EXPECT_EQ(violations[0].description, "must hold one @");
}

TEST(Status, OfSuccessIsOk) { EXPECT_TRUE(StatusFromGrpc(grpc::Status::OK).ok()); }

TEST(Status, WithoutDetailsHasNeitherReasonNorViolations) {
  const absl::Status status =
      StatusFromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no route"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "");
  EXPECT_EQ(RequestIdOf(status), "");
  EXPECT_TRUE(FieldViolationsOf(status).empty());
}

TEST(Status, SurvivesDetailsThatAreNoMessage) {
  const absl::Status status =
      StatusFromGrpc(grpc::Status(grpc::StatusCode::INTERNAL, "odd", "\xff\xff\xff"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), "");
}

}  // namespace
}  // namespace userservice
