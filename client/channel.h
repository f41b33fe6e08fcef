// How the client's channels are made: message limits, and the service config that says what gRPC
// may retry.
//
// gRPC retries by method, and users.v1 by request: a write may be repeated only if it carries a
// request_id. So a client has two channels, which differ in their service config alone, and each
// call goes through the one that fits it.
#pragma once

#include <memory>
#include <string>

#include "client/options.h"
#include "grpcpp/channel.h"

namespace userservice::internal {

enum class Retries {
  kEverything,  // for reads, and for writes that carry a request_id
  kNothing,     // for the other writes, and for streams
};

// The channel connects with its first call.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const ClientOptions& options,
                                           Retries retries);

// Service config JSON. Source: grpc/service_config/service_config.proto of grpc-proto; gRFC A6.
std::string ServiceConfig(Retries retries, int attempts_max);

}  // namespace userservice::internal
