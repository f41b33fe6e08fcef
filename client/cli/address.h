// HOST:PORT, as --server takes it: 127.0.0.1:50051, localhost:50051, [::1]:50051.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace userservice::cli {

struct Address {
  std::string host;  // without brackets
  std::string port;  // 1 to 65535
};

// Nothing if `text` is no such address.
std::optional<Address> ParseAddress(std::string_view text);

// True for the names and numbers of this machine itself.
bool IsLoopback(const Address& address);

}  // namespace userservice::cli
