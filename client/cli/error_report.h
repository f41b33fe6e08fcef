// An RPC's error as a person reads it: what happened, the reason, the fields at fault, the id for
// the server's log, and for the commonest what to do about it.
//
//   userctl: INVALID_ARGUMENT: user.email must hold one @
//     reason       FIELD_INVALID
//     field        user.email: must hold one @
//     request id   5f0c2b7a90d1e384
//
// A server that can not be reached is one line.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace userservice::cli {

// `request_id` is what a write carried, else empty: a write whose outcome is not known can be
// repeated with it.
void PrintError(std::ostream& out, const absl::Status& status, const std::string& server,
                const std::string& request_id, bool colours);

// How to repeat a write whose outcome is not known. Nothing for a read, whose `request_id` is
// empty.
void PrintHowToRepeat(std::ostream& out, const std::string& request_id);

}  // namespace userservice::cli
