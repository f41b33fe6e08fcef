#include "client/channel.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/strings/substitute.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace userservice::internal {
namespace {

// Below 1 s in all for 4 attempts, so that a server which is down is reported soon; the server's
// own pushback (grpc-retry-pushback-ms) overrides the backoff. The throttle stops retries while
// more than half of the calls fail.
constexpr char kRetrying[] = R"json({
  "methodConfig": [{
    "name": [{"service": "users.v1.UserService"}, {"service": "grpc.health.v1.Health"}],
    "retryPolicy": {
      "maxAttempts": $0,
      "initialBackoff": "0.05s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 1}
})json";

// gRPC's arguments are ints, with INT_MAX for "never".
int IntOfMs(absl::Duration duration) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, std::numeric_limits<int>::max()));
}

}  // namespace

std::string ServiceConfig(Retries retries, int attempts_max) {
  if (retries == Retries::kNothing || attempts_max < 2) return "{}";
  return absl::Substitute(kRetrying, attempts_max);
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const ClientOptions& options,
                                           Retries retries) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(ServiceConfig(retries, options.attempts_max));
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(options.receive_bytes_max);
  // Source: gRFC A8. By itself gRPC asks no more than twice until the client sends something, which
  // one that only watches never does.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, IntOfMs(options.keepalive));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, IntOfMs(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  if (!options.user_agent.empty()) arguments.SetUserAgentPrefix(options.user_agent);
  return grpc::CreateCustomChannel(
      address,
      options.credentials != nullptr ? options.credentials : grpc::InsecureChannelCredentials(),
      arguments);
}

}  // namespace userservice::internal
