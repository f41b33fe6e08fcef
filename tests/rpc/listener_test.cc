// Connections are accepted on each address that was asked for, and on no other; what can not be
// listened on is told; nothing is open afterwards.
#include "service/rpc/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "async/mutex.h"
#include "spdlog/spdlog.h"

namespace userservice::rpc {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kSoon = absl::Seconds(10);

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
}

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

sockaddr_in Ipv4(int port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<in_port_t>(port));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

// False if nothing listens there.
bool Connect(const Socket& socket, int port) {
  const sockaddr_in to = Ipv4(port);
  return connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

bool ConnectIpv6(const Socket& socket, int port) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(static_cast<in_port_t>(port));
  to.sin6_addr = in6addr_loopback;
  return connect(socket.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

Socket NewSocket(int family = AF_INET) { return Socket(socket(family, SOCK_STREAM, 0)); }

// What a listener gives away.
class Accepted {
 public:
  void Add(int socket) {
    const MutexLock lock(&mutex_);
    sockets_.emplace_back(socket);
  }
  [[nodiscard]] bool WaitFor(size_t count, absl::Duration timeout = kSoon) {
    const auto are_there = [&] { return sockets_.size() >= count; };
    const MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(Condition(&are_there), timeout);
  }
  int Get(size_t index) {
    const MutexLock lock(&mutex_);
    return sockets_[index].number();
  }

 private:
  Mutex mutex_;
  std::vector<Socket> sockets_ ABSL_GUARDED_BY(mutex_);
};

std::unique_ptr<Listener> Open(const std::string& address) {
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open(address);
  EXPECT_TRUE(listener.ok()) << address << ": " << listener.status();
  return listener.ok() ? *std::move(listener) : nullptr;
}

TEST(ListenerTest, GivesAwayEachConnectionAsASocketThatDoesNotBlock) {
  Accepted accepted;
  const std::unique_ptr<Listener> listener = Open("127.0.0.1:0");
  ASSERT_GT(listener->port(), 0);
  listener->Start([&](int socket) { accepted.Add(socket); });
  const Socket first = NewSocket();
  const Socket second = NewSocket();
  ASSERT_TRUE(Connect(first, listener->port()));
  ASSERT_TRUE(accepted.WaitFor(1));
  ASSERT_TRUE(Connect(second, listener->port()));
  ASSERT_TRUE(accepted.WaitFor(2));
  EXPECT_NE(fcntl(accepted.Get(0), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(accepted.Get(0), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(write(second.number(), "hello", 5), 5);
  char text[6] = "";
  fcntl(accepted.Get(1), F_SETFL, 0);
  EXPECT_EQ(read(accepted.Get(1), text, 5), 5);
  EXPECT_STREQ(text, "hello");
}

TEST(ListenerTest, WhoConnectsBeforeItAcceptsIsAcceptedThen) {
  Accepted accepted;
  const std::unique_ptr<Listener> listener = Open("127.0.0.1:0");
  const Socket client = NewSocket();
  ASSERT_TRUE(Connect(client, listener->port()));
  listener->Start([&](int socket) { accepted.Add(socket); });
  EXPECT_TRUE(accepted.WaitFor(1));
}

TEST(ListenerTest, TakesNamesAndNoNameForAddresses) {
  for (const std::string address : {"localhost:0", ":0", "0.0.0.0:0", "[127.0.0.1]:0"}) {
    Accepted accepted;
    const std::unique_ptr<Listener> listener = Open(address);
    ASSERT_NE(listener, nullptr);
    listener->Start([&](int socket) { accepted.Add(socket); });
    const Socket client = NewSocket();
    EXPECT_TRUE(Connect(client, listener->port())) << address;
    EXPECT_TRUE(accepted.WaitFor(1)) << address;
  }
}

TEST(ListenerTest, AllAddressesAreThoseOfIpv4AndOfIpv6) {
  if (NewSocket(AF_INET6).number() < 0) return;  // this machine has no IPv6
  for (const std::string address : {"[::]:0", ":0"}) {
    const std::unique_ptr<Listener> listener = Open(address);
    ASSERT_NE(listener, nullptr);
    EXPECT_TRUE(Connect(NewSocket(), listener->port())) << address;
    EXPECT_TRUE(ConnectIpv6(NewSocket(AF_INET6), listener->port())) << address;
  }
}

TEST(ListenerTest, ListensOnNoOtherAddress) {
  const std::unique_ptr<Listener> listener = Open("127.0.0.2:0");
  // Nobody else is to listen there in the meantime.
  const Socket other = NewSocket();
  const sockaddr_in name = Ipv4(listener->port());
  ASSERT_EQ(bind(other.number(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  EXPECT_FALSE(Connect(NewSocket(), listener->port()));
}

TEST(ListenerTest, SaysWhyAnAddressCanNotBeListenedOn) {
  const std::unique_ptr<Listener> taken = Open("127.0.0.1:0");
  const std::string taken_address = absl::StrCat("127.0.0.1:", taken->port());
  const std::pair<std::string, std::string> bad[] = {
      {taken_address, "Address already in use"},
      {"192.0.2.1:0", "Cannot assign requested address"},
      {"127.0.0.1", "it has no :PORT"},
      {"127.0.0.1:", "'' is no port"},
      {"127.0.0.1:grpc", "'grpc' is no port"},
      {"127.0.0.1:65536", "'65536' is no port"},
      {"127.0.0.1:-1", "'-1' is no port"},
      {"", "it has no :PORT"},
      {"127.0.0.1: 80", "' 80' is no port"},
      {"::1:80", "an IPv6 address is written in brackets"},
  };
  const size_t descriptors = OpenDescriptors();
  for (const auto& [address, cause] : bad) {
    const absl::Status status = Listener::Open(address).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << address;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("cannot listen on ", address, ": ", cause)));
    EXPECT_THAT(std::string(status.message()), HasSubstr("--listen_address="));
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

TEST(ListenerTest, AfterItsEndNobodyConnectsAndNothingIsOpenButWhatItGaveAway) {
  const size_t descriptors = OpenDescriptors();
  {
    Accepted accepted;
    const Socket client = NewSocket();
    int port = 0;
    {
      const std::unique_ptr<Listener> listener = Open("localhost:0");
      port = listener->port();
      listener->Start([&](int socket) { accepted.Add(socket); });
      ASSERT_TRUE(Connect(client, port));
      ASSERT_TRUE(accepted.WaitFor(1));
    }
    EXPECT_FALSE(Connect(NewSocket(), port));
    EXPECT_EQ(write(client.number(), "x", 1), 1);
    EXPECT_EQ(OpenDescriptors(), descriptors + 2);
  }
  {
    const std::unique_ptr<Listener> never_started = Open("127.0.0.1:0");
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

TEST(ListenerTest, WhereTheProcessHasNoDescriptorLeftConnectionsWaitUntilItHas) {
  const auto level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);
  // UBSan opens a pipe to look at an object of a class that it has not seen.
  spdlog::warn("");
  Accepted accepted;
  const std::unique_ptr<Listener> listener = Open("127.0.0.1:0");
  listener->Start([&](int socket) { accepted.Add(socket); });
  const Socket first = NewSocket();
  const Socket second = NewSocket();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = NewSocket().number();  // which is closed, and would be the next again
  ASSERT_GE(next, 0);
  const rlimit none_left{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  EXPECT_TRUE(Connect(first, listener->port()));
  EXPECT_TRUE(Connect(second, listener->port()));
  EXPECT_FALSE(accepted.WaitFor(1, absl::Milliseconds(250)));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(accepted.WaitFor(2));
  spdlog::set_level(level);
}

}  // namespace
}  // namespace userservice::rpc
