// An RPC's error as a person reads it: what happened, the reason, the fields at fault, the id for the server's log, and
// for the commonest what to do about it.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace userservice::cli {

// `request_id` is what a write carried, else empty: a write whose outcome is not known can be repeated with it.
void PrintError(std::ostream& out, const absl::Status& status, const std::string& server, const std::string& request_id);

}  // namespace userservice::cli
