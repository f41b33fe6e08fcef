#include "tests/support/raw_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace userservice {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr int kWaitMs = 60'000;

// RFC 9113, 4.1; RFC 7540's types and flags.
enum FrameType : char { kData = 0, kHeaders = 1, kSettings = 4 };
enum FrameFlags : char { kNoFlags = 0, kEndStream = 1, kEndHeaders = 4 };

std::string Frame(FrameType type, FrameFlags flags, char stream, const std::string& payload) {
  std::string frame = {0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream};
  frame[1] = static_cast<char>(payload.size() >> 8U);
  return frame + payload;
}

// RFC 7541, 6.2.2: a literal that enters no table, not Huffman-coded.
std::string Header(const std::string& name, const std::string& value) {
  std::string header(1, '\0');
  header += static_cast<char>(name.size());
  header += name;
  header += static_cast<char>(value.size());
  return header + value;
}

}  // namespace

RawCall::RawCall(int port, const std::string& path, const std::string& message)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in server = {};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<uint16_t>(port));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                              Header(":path", path) + Header(":authority", "localhost") +
                              Header("te", "trailers") + Header("content-type", "application/grpc");
  std::string bytes(kPreface);
  bytes += Frame(kSettings, kNoFlags, 0, "");
  bytes += Frame(kHeaders, kEndHeaders, 1, headers);
  // Not compressed, and its length.
  const std::string prefixed = std::string(4, '\0') + static_cast<char>(message.size()) + message;
  bytes += Frame(kData, kEndStream, 1, prefixed);
  const bool sent =
      connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0 &&
      send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  if (!sent) {
    close(socket_);
    throw std::runtime_error("RawCall: cannot connect");
  }
}

RawCall::~RawCall() { Vanish(); }

bool RawCall::WaitForBytes(size_t count) {
  std::array<char, 4096> buffer;
  for (size_t received = 0; received < count;) {
    pollfd readable = {socket_, POLLIN, 0};
    if (poll(&readable, 1, kWaitMs) != 1) return false;
    const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    received += static_cast<size_t>(got);
  }
  return true;
}

void RawCall::Vanish() {
  if (socket_ < 0) return;
  const linger reset = {1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close(socket_);
  socket_ = -1;
}

}  // namespace userservice
