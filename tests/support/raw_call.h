// RawCall: a gRPC call over a TCP connection of its own, written byte by byte, so that a test can
// do to it what no gRPC client does: read nothing, and vanish without a word.
//
//   RawCall call(port, "/users.v1.UserService/ExportUsers", request.SerializeAsString());
//   ASSERT_TRUE(call.WaitForBytes(9));
//   call.Vanish();
//
// It never opens the flow-control windows: a server can send it 64 KiB, the default of HTTP/2.
#pragma once

#include <cstddef>
#include <string>

namespace userservice {

class RawCall {
 public:
  // To 127.0.0.1; throws if nobody listens there. `path` and `message` have fewer than 127 bytes
  // each.
  RawCall(int port, const std::string& path, const std::string& message);
  ~RawCall();  // Vanish()
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // Reads until so many bytes have come; false if the connection ends first, or a minute passes.
  [[nodiscard]] bool WaitForBytes(size_t count);

  // Resets the connection: no GOAWAY, no RST_STREAM, no FIN.
  void Vanish();

 private:
  int socket_ = -1;
};

}  // namespace userservice
