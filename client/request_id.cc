#include "client/request_id.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace userservice {

std::string NewRequestId() {
  // random_device asks the kernel.
  std::random_device random;
  std::string bytes(16, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() & 0xff); });
  return RequestIdOfBytes(bytes);
}

std::string RequestIdOfBytes(const std::string& random_bytes) {
  // RFC 4122, section 4.4: 122 random bits, the version 4 and the variant 10.
  std::string bytes = random_bytes;
  bytes.resize(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = absl::BytesToHexString(bytes);
  const absl::string_view digits = hex;
  return absl::StrCat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
                      digits.substr(16, 4), "-", digits.substr(20));
}

}  // namespace userservice
