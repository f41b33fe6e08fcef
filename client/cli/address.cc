#include "client/cli/address.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace userservice::cli {

std::optional<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  Address address{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  const bool bracketed =
      address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  const auto is_host_char = [bracketed](char c) {
    return c > ' ' && c != '/' && c != '[' && c != ']' && (bracketed || c != ':');
  };
  const bool host_is_right =
      !address.host.empty() && std::all_of(address.host.begin(), address.host.end(), is_host_char);
  uint32_t port = 0;
  const bool port_is_right = absl::SimpleAtoi(address.port, &port) && port >= 1 && port <= 65535;
  if (!host_is_right || !port_is_right) return {};
  return address;
}

bool IsLoopback(const Address& address) {
  return address.host == "localhost" || address.host == "::1" ||
         absl::StartsWith(address.host, "127.");
}

}  // namespace userservice::cli
