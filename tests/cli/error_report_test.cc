#include "client/cli/error_report.h"

#include <sstream>

#include "client/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

std::string Report(const absl::Status& status, const std::string& request_id = "",
                   bool colours = false) {
  std::ostringstream out;
  PrintError(out, status, "127.0.0.1:50051", request_id, colours);
  return out.str();
}

absl::Status InvalidEmail() {
  google::rpc::ErrorInfo info;
  info.set_reason("FIELD_INVALID");
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("user.email");
  violation->set_description("must hold one @");
  google::rpc::RequestInfo request_info;
  request_info.set_request_id("abc123");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(bad_request);
  details.add_details()->PackFrom(request_info);
  return StatusFromGrpc(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                     "user.email must hold one @", details.SerializeAsString()));
}

TEST(ErrorReport, IsABlockOfStatusReasonFieldsAndRequestId) {
  EXPECT_EQ(Report(InvalidEmail()),
            "userctl: INVALID_ARGUMENT: user.email must hold one @\n"
            "  reason       FIELD_INVALID\n"
            "  field        user.email: must hold one @\n"
            "  request id   abc123\n");
}

TEST(ErrorReport, OfAServerThatIsNotThereIsOneLineWithTheRemedy) {
  const std::string report = Report(absl::UnavailableError(
      "failed to connect to all addresses; last error: X: Connection refused"));
  EXPECT_EQ(report.find('\n'), report.size() - 1);
  EXPECT_NE(report.find("127.0.0.1:50051 (Connection refused)"), std::string::npos) << report;
  EXPECT_NE(report.find("--server=HOST:PORT"), std::string::npos) << report;
}

TEST(ErrorReport, SaysHowToRepeatAWriteOfUnknownOutcome) {
  const std::string how = "add --request-id=5f0c, and it is done once";
  EXPECT_NE(Report(absl::DeadlineExceededError("too late"), "5f0c").find(how), std::string::npos);
  EXPECT_EQ(Report(InvalidEmail(), "5f0c").find(how), std::string::npos) << "nothing was written";
}

TEST(ErrorReport, IsColouredOnlyWhenTold) {
  EXPECT_EQ(Report(InvalidEmail()).find('\x1b'), std::string::npos);
  EXPECT_NE(Report(InvalidEmail(), "", /*colours=*/true).find("\x1b[31mINVALID_ARGUMENT\x1b[0m"),
            std::string::npos);
}

TEST(ErrorReport, ShowsNoControlCharactersOfTheServer) {
  EXPECT_EQ(Report(absl::InternalError("\x1b[2Jgone")).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace userservice::cli
