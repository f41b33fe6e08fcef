// Request ids: what makes a write safe to repeat (AIP-155).
//
//   request.set_request_id(NewRequestId());   // once, before the first attempt; the same id at
//   each further one
#pragma once

#include <string>

namespace userservice {

// A new version 4 UUID of the kernel's random numbers, in lower case. Thread-safe.
std::string NewRequestId();

}  // namespace userservice
