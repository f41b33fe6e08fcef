// HealthService: grpc.health.v1 over our own calls, so that an open Watch ends with the drain
// instead of holding it.
//
// One state for the server ("") and for each service that it was made with; SERVING from the start
// until StopServing().
// Source: the gRPC health checking protocol.
// Unknown services: NOT_FOUND from Check, SERVICE_UNKNOWN from Watch.
// Threads: StopServing from any; handlers on the loop.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "async/broadcast.h"
#include "async/task.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "service/rpc/call.h"
#include "service/rpc/stream_call.h"

namespace userservice::rpc {

class HealthService {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  explicit HealthService(std::vector<std::string> services) : services_(std::move(services)) {}

  // For good: open Watches send NOT_SERVING and end.
  void StopServing();

  Task<absl::StatusOr<Response>> Check(Call& call, const Request& request);
  Task<absl::Status> Watch(Call& call, const Request& request, ServerStream<Response>& stream);

 private:
  Response::ServingStatus StatusOf(std::string_view service) const;

  const std::vector<std::string> services_;
  std::atomic<bool> serving_{true};
  Broadcast changes_;
};

}  // namespace userservice::rpc
