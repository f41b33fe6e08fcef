// From absl::Status, which the layers below speak, to what goes over the wire. The one place where
// that is done.
//
// Details: the status' payloads (see service/errors) and RequestInfo become a google.rpc.Status in
//   `grpc-status-details-bin`, at most 4 KiB: over that, details are left out, ErrorInfo and
//   RequestInfo last. A status that is not from the catalogue is a defect: the caller gets INTERNAL
//   and the id, the log gets the cause.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace userservice::rpc {

inline constexpr size_t kDetailsBytesMax = 4096;

// For an error that travels inside of a message. `status` is not OK.
google::rpc::Status ToProtoStatus(const absl::Status& status, std::string_view request_id);

grpc::Status ToGrpcStatus(const absl::Status& status, std::string_view request_id);

// What to put into `grpc-retry-pushback-ms`; nothing unless the status says when to come back.
std::optional<std::string> PushbackMs(const absl::Status& status);

// `text` with everything that looks like an e-mail address blotted out: what a log line may show of
// a cause.
std::string WithoutEmails(std::string_view text);

}  // namespace userservice::rpc
