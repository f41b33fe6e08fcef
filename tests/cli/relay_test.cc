#include "client/cli/gather/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "async/block_on.h"
#include "client/cli/address.h"
#include "client/user_client.h"
#include "gtest/gtest.h"
#include "tests/client/support/fake_user_service.h"

namespace userservice::cli {
namespace {

constexpr absl::Duration kRoundTrip = absl::Milliseconds(40);

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() { Close(); }
  int fd() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

  void Send(const std::string& bytes) const {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      sent += static_cast<size_t>(n);
    }
  }

  // As many bytes, or fewer at the end of the stream.
  std::string Receive(size_t size) const {
    std::string bytes(size, '\0');
    size_t received = 0;
    while (received < size) {
      const ssize_t n = recv(fd_, bytes.data() + received, size - received, 0);
      if (n <= 0) break;
      received += static_cast<size_t>(n);
    }
    bytes.resize(received);
    return bytes;
  }

 private:
  int fd_;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// A listening socket on a free port of 127.0.0.1.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in local = Loopback(0);
    socklen_t length = sizeof(local);
    EXPECT_EQ(bind(socket_.fd(), reinterpret_cast<sockaddr*>(&local), length), 0);
    EXPECT_EQ(listen(socket_.fd(), 16), 0);
    EXPECT_EQ(getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&local), &length), 0);
    port_ = ntohs(local.sin_port);
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  Socket Accept() const { return Socket(accept(socket_.fd(), nullptr, nullptr)); }
  void Close() { socket_.Close(); }

 private:
  Socket socket_;
  int port_ = 0;
};

Socket Connect(const std::string& address) {
  Socket connected(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in remote = Loopback(std::stoi(ParseAddress(address)->port));
  EXPECT_EQ(connect(connected.fd(), reinterpret_cast<const sockaddr*>(&remote), sizeof(remote)), 0);
  return connected;
}

class RelayTest : public ::testing::Test {
 protected:
  RelayTest()
      : relay_(*Relay::Start(target_.address(), kRoundTrip)),
        probe_(target_.Accept()),
        client_(Connect(relay_->address())),
        server_(target_.Accept()) {}

  Listener target_;
  std::unique_ptr<Relay> relay_;
  Socket probe_;  // with which the relay looked whether something listens
  Socket client_;
  Socket server_;
};

TEST_F(RelayTest, DelaysEachDirectionByHalfTheRoundTrip) {
  const auto one_way = [](const Socket& from, const Socket& to) {
    const absl::Time sent = absl::Now();
    from.Send("x");
    EXPECT_EQ(to.Receive(1), "x");
    return absl::Now() - sent;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_GE(one_way(client_, server_), kRoundTrip / 2);
    EXPECT_GE(one_way(server_, client_), kRoundTrip / 2);
  }
}

TEST_F(RelayTest, DelaysWhatIsSentTogetherOnce) {
  const absl::Time sent = absl::Now();
  for (int i = 0; i < 50; ++i) client_.Send("x");
  EXPECT_EQ(server_.Receive(50).size(), 50U);
  EXPECT_LT(absl::Now() - sent, 25 * kRoundTrip)
      << "one after another they would take 50 times half of it";
}

TEST_F(RelayTest, CarriesALargePayloadBothWaysInOrder) {
  std::string payload(size_t{8} << 20, '\0');
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 2654435761U >> 24);
  std::jthread up([&] { client_.Send(payload); });
  std::jthread down([&] { server_.Send(payload); });
  std::string arrived_below;
  std::jthread reads([&] { arrived_below = client_.Receive(payload.size()); });
  const bool same_above = server_.Receive(payload.size()) == payload;
  reads.join();
  EXPECT_TRUE(same_above);
  EXPECT_TRUE(arrived_below == payload);
}

TEST_F(RelayTest, PassesOnTheEndOfEachDirectionAlone) {
  client_.Send("last words");
  shutdown(client_.fd(), SHUT_WR);
  EXPECT_EQ(server_.Receive(100), "last words");
  server_.Send("answer");
  server_.Close();
  EXPECT_EQ(client_.Receive(100), "answer");
}

TEST_F(RelayTest, CutsTheConnectionsWhenItEnds) {
  relay_.reset();
  EXPECT_EQ(client_.Receive(1), "");
  EXPECT_EQ(server_.Receive(1), "");
}

TEST_F(RelayTest, EndsTheClientsConnectionWhenTheServerIsGone) {
  target_.Close();
  const Socket second = Connect(relay_->address());
  EXPECT_EQ(second.Receive(1), "");
}

TEST(RelayStart, SaysThatNothingListens) {
  Listener target;
  const std::string address = target.address();
  target.Close();
  const auto relay = Relay::Start(address, kRoundTrip);
  EXPECT_EQ(relay.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(relay.status().message(), "Connection refused");
}

TEST(RelayStart, RefusesWhatIsNoAddress) {
  EXPECT_EQ(Relay::Start("nowhere", kRoundTrip).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RelayWithGrpc, MakesEachCallTakeARoundTrip) {
  testing::FakeServer server;
  server->AddUsers(1);
  const auto relay = Relay::Start(server.address(), kRoundTrip);
  ASSERT_TRUE(relay.ok()) << relay.status();
  const auto client = UserClient::Connect((*relay)->address());
  ASSERT_TRUE(BlockOn(client->GetUser(1)).ok());
  const absl::Time start = absl::Now();
  ASSERT_TRUE(BlockOn(client->GetUser(1)).ok());
  EXPECT_GE(absl::Now() - start, kRoundTrip);
}

}  // namespace
}  // namespace userservice::cli
