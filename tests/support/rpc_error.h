// What an RPC's error says, read as any client would: from grpc-status-details-bin.
//
//   EXPECT_EQ(Outcome(status), "NOT_FOUND USER_NOT_FOUND");
//   EXPECT_EQ(InfoOf(status).metadata().at("user_id"), "42");
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "google/rpc/code.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace userservice {

// The google.rpc.Status; empty if there is none, or it is not the status' own.
inline google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return {};
  const bool same = details.code() == static_cast<int>(status.error_code()) &&
                    details.message() == status.error_message();
  return same ? details : google::rpc::Status();
}

template <class Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  const google::rpc::Status details = DetailsOf(status);
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.Is<Detail>() && any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

inline google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).value_or(google::rpc::ErrorInfo());
}

// "OK", or the code and the reason.
inline std::string Outcome(const grpc::Status& status) {
  const auto code = static_cast<google::rpc::Code>(status.error_code());
  const std::string reason = InfoOf(status).reason();
  return google::rpc::Code_Name(code) + (reason.empty() ? "" : " " + reason);
}

// The field paths of BadRequest.
inline std::vector<std::string> ViolatedFields(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  if (!bad_request.has_value()) return fields;
  for (const auto& violation : bad_request->field_violations()) fields.push_back(violation.field());
  return fields;
}

}  // namespace userservice
