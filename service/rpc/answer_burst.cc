#include "service/rpc/answer_burst.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "async/executor.h"

namespace userservice::rpc {
namespace {

constexpr std::string_view kSocketName = "fd:";

// A connection that answers of the present burst went to.
struct Answered {
  int socket;
  bool is_held;
};

// The socket may have been closed since, and its number used again: another connection is then
// released early, another kind of file refuses the option.
void SetCork(int socket, int value) {
  setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

// The name that gRPC gives to who is behind a socket that it was given: "fd:42".
int SocketOf(const grpc::ServerContext& context) {
  const std::string peer = context.peer();
  const std::string_view name = peer;
  int socket = -1;
  if (name.starts_with(kSocketName))
    std::from_chars(name.data() + kSocketName.size(), name.data() + name.size(), socket);
  return socket;
}

}  // namespace

void JoinAnswerBurst(const grpc::ServerContext& context) {
  static thread_local std::vector<Answered> burst;
  const int socket = SocketOf(context);
  if (socket < 0) return;
  if (burst.empty()) {
    Executor::Current()->AfterBurst([] {
      for (const Answered& connection : burst) {
        if (connection.is_held) SetCork(connection.socket, 0);
      }
      burst.clear();
    });
  }
  const auto is_this = [socket](const Answered& connection) { return connection.socket == socket; };
  const auto found = std::find_if(burst.begin(), burst.end(), is_this);
  if (found == burst.end()) {
    burst.push_back({socket, false});
  } else if (!found->is_held) {
    SetCork(socket, 1);
    found->is_held = true;
  }
}

}  // namespace userservice::rpc
