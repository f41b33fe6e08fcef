// Request ids: what makes a write safe to repeat (AIP-155).
//
//   request.set_request_id(NewRequestId());   // once, before the first attempt; the same id at
//   each further one
#pragma once

#include <string>

namespace userservice {

// A new version 4 UUID of the kernel's random numbers, in lower case. Thread-safe.
std::string NewRequestId();

// The version 4 UUID that has the bits of these 16 bytes, but for the six that say its kind: for
// ids that have to be the same each time, made of a hash.
std::string RequestIdOfBytes(const std::string& bytes);

}  // namespace userservice
