// The errors of users.v1 as absl::Status: its code, its message, and each google.rpc detail as a
// payload whose key is the detail's type URL.
// Source: AIP-193.
//
//   if (ReasonOf(status) == "USER_NOT_FOUND") ...
//
// All functions take any status, and give the empty value for one that carries no such detail.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace google::rpc {
class Status;
}  // namespace google::rpc

namespace grpc {
class Status;
}  // namespace grpc

namespace userservice {

struct FieldViolation {
  std::string field;  // "user.email"
  std::string description;
};

absl::Status StatusFromGrpc(const grpc::Status& status);
// One that came inside a response, such as ImportUsersResponse.failures.
absl::Status StatusFromProto(const google::rpc::Status& status);

// The reason: a name from users.v1.ErrorReason without its prefix.
std::string ReasonOf(const absl::Status& status);
// The id that the server's log carries for this call.
std::string RequestIdOf(const absl::Status& status);
std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);
// How long the server asks to be left alone; zero if it does not.
absl::Duration RetryDelayOf(const absl::Status& status);

}  // namespace userservice
