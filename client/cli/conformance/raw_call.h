// CallRaw: one message to any method, by its name, and how the call ends. For what no generated
// stub sends: methods that are not there, bytes that are no request.
#pragma once

#include <memory>
#include <string>

#include "client/cli/conformance/probe.h"

namespace userservice::cli::conformance {

// `path` is like "/users.v1.UserService/GetUser". Messages of the answer are read and dropped.
RpcError CallRaw(const Probe& probe, const std::string& path, const std::string& request);

}  // namespace userservice::cli::conformance
