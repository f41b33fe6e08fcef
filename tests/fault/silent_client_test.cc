// A client that connects and then says nothing does not keep its connection for ever; one that has
// no call, and answers when it is asked whether it lives, does.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "absl/time/clock.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/local_app.h"
#include "tests/support/local_server.h"

namespace userservice {
namespace {

// The server waits twenty seconds for the answer.
constexpr absl::Duration kClosedWithin = absl::Seconds(60);

int ConnectTo(int port) {
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<in_port_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const timeval limit{absl::ToInt64Seconds(kClosedWithin), 0};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return client;
}

TEST(SilentClientTest, WhoDoesNotAnswerIsClosedAndWhoDoesIsKept) {
  rpc::ServerOptions options;
  options.keepalive_ms = 1'000;
  LocalServer<ForwardingStore> server(options);
  const std::shared_ptr<grpc::Channel> idle = OwnConnection(server.address());
  ASSERT_TRUE(idle->WaitForConnected(absl::ToChronoTime(absl::Now() + absl::Seconds(60))));

  const int silent = ConnectTo(server.port());
  std::array<char, 256> bytes{};
  ssize_t got = 1;
  while (got > 0) got = recv(silent, bytes.data(), bytes.size(), 0);
  EXPECT_EQ(got, 0) << "it was not closed";
  close(silent);

  EXPECT_FALSE(idle->WaitForStateChange(GRPC_CHANNEL_READY,
                                        absl::ToChronoTime(absl::Now() + absl::Seconds(3))));
}

}  // namespace
}  // namespace userservice
