#include "client/cli/gather/relay.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/address.h"

namespace userservice::cli {
namespace {

constexpr size_t kHeldBytesMax = 64UL * 1024 * 1024;
constexpr size_t kReadBytes = 64UL * 1024;

void SetNoDelay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// 0 if something listens there, else why not, as errno. Waits a second at most.
int ConnectError(const addrinfo& target) {
  const int probe = socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  int error = connect(probe, target.ai_addr, target.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd writable = {probe, POLLOUT, 0};
    socklen_t length = sizeof(error);
    if (poll(&writable, 1, 1000) != 1) {
      error = ETIMEDOUT;
    } else if (getsockopt(probe, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  close(probe);
  return error;
}

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOTCONN;
}

// One direction of a connection: bytes on their way, each with the time at which it arrives.
class Pipe {
 public:
  Pipe(int from, int to, absl::Duration delay) : from_(from), to_(to), delay_(delay) {}

  bool WantsToRead() const { return !ended_ && held_bytes_ < kHeldBytesMax; }
  bool HasDue(absl::Time now) const {
    return !on_the_way_.empty() && on_the_way_.front().due <= now;
  }
  absl::Time NextDue() const {
    return on_the_way_.empty() ? absl::InfiniteFuture() : on_the_way_.front().due;
  }
  bool done() const { return done_; }

  // False if the connection broke.
  bool Read() {
    std::array<char, kReadBytes> buffer;  // NOLINT(*-member-init): recv fills what is read
    const ssize_t n = recv(from_, buffer.data(), buffer.size(), 0);
    if (n < 0) return WouldBlock();
    ended_ = n == 0;
    held_bytes_ += static_cast<size_t>(n);
    on_the_way_.push_back(
        {absl::Now() + delay_, std::string(buffer.data(), static_cast<size_t>(n))});
    return true;
  }

  // Sends what has arrived, as far as the receiver takes it. False if the connection broke.
  bool Write(absl::Time now) {
    while (HasDue(now)) {
      Packet& packet = on_the_way_.front();
      if (packet.bytes.empty()) {
        shutdown(to_, SHUT_WR);
        done_ = true;
        on_the_way_.pop_front();
        return true;
      }
      const ssize_t n =
          send(to_, packet.bytes.data() + sent_, packet.bytes.size() - sent_, MSG_NOSIGNAL);
      if (n < 0) return WouldBlock();
      held_bytes_ -= static_cast<size_t>(n);
      sent_ += static_cast<size_t>(n);
      if (sent_ < packet.bytes.size()) return true;
      sent_ = 0;
      on_the_way_.pop_front();
    }
    return true;
  }

 private:
  struct Packet {
    absl::Time due;
    std::string bytes;  // none: the end of the stream
  };

  const int from_;
  const int to_;
  const absl::Duration delay_;
  std::deque<Packet> on_the_way_;
  size_t held_bytes_ = 0;
  size_t sent_ = 0;  // of the first packet
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace

// The client's socket and the server's, and the two pipes between them. Owns both sockets.
class Relay::Connection {
 public:
  Connection(int client, int server, absl::Duration one_way)
      : client_(client),
        server_(server),
        up_(client, server, one_way),
        down_(server, client, one_way) {}
  ~Connection() {
    close(client_);
    close(server_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::array<pollfd, 2> Interest(absl::Time now) const {
    return {Interest(client_, Events(up_, down_, now)), Interest(server_, Events(down_, up_, now))};
  }
  absl::Time NextDue() const { return std::min(up_.NextDue(), down_.NextDue()); }

  // False when the connection is over.
  bool Move(const pollfd& client, const pollfd& server, absl::Time now) {
    constexpr int16_t kReadable = POLLIN | POLLHUP | POLLERR;
    if ((client.revents & kReadable) != 0 && up_.WantsToRead() && !up_.Read()) return false;
    if ((server.revents & kReadable) != 0 && down_.WantsToRead() && !down_.Read()) return false;
    if (!up_.Write(now) || !down_.Write(now)) return false;
    return !(up_.done() && down_.done());
  }

 private:
  // poll passes over a negative descriptor. One that wants nothing would still wake it with a
  // hang-up, over and over.
  static pollfd Interest(int socket, int16_t events) {
    return {events == 0 ? -1 : socket, events, 0};
  }

  // Of the socket that `in` reads from and `out` writes to.
  static int16_t Events(const Pipe& in, const Pipe& out, absl::Time now) {
    return static_cast<int16_t>((in.WantsToRead() ? POLLIN : 0) | (out.HasDue(now) ? POLLOUT : 0));
  }

  const int client_;
  const int server_;
  Pipe up_;
  Pipe down_;
};

absl::StatusOr<std::unique_ptr<Relay>> Relay::Start(const std::string& target,
                                                    absl::Duration round_trip) {
  const std::optional<Address> address = ParseAddress(target);
  if (!address.has_value())
    return absl::InvalidArgumentError(absl::StrCat("not HOST:PORT: ", target));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address->host.c_str(), address->port.c_str(), &hints, &found);
      error != 0) {
    return absl::UnavailableError(gai_strerror(error));
  }
  const Addresses addresses(found);
  // A name may have several addresses, and the server listen on one: localhost is ::1 and
  // 127.0.0.1.
  int error = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    error = ConnectError(*each);
    if (error == 0) return Listen(*each, round_trip);
  }
  return absl::UnavailableError(std::strerror(error));
}

absl::StatusOr<std::unique_ptr<Relay>> Relay::Listen(const addrinfo& target,
                                                     absl::Duration round_trip) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(local);
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&local), length) != 0 ||
      listen(listener, 16) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&local), &length) != 0) {
    const int error = errno;
    if (listener >= 0) close(listener);
    return absl::ErrnoToStatus(error, "the relay can not listen");
  }
  const int wakeup = eventfd(0, EFD_CLOEXEC);
  std::string address = absl::StrCat("127.0.0.1:", ntohs(local.sin_port));
  return std::unique_ptr<Relay>(
      new Relay(listener, wakeup, target, std::move(address), round_trip / 2));
}

Relay::Relay(int listener, int wakeup, const addrinfo& target, std::string address,
             absl::Duration one_way)
    : listener_(listener),
      wakeup_(wakeup),
      target_bytes_(target.ai_addrlen),
      address_(std::move(address)),
      one_way_(one_way) {
  std::memcpy(&target_, target.ai_addr, target.ai_addrlen);
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  eventfd_write(wakeup_, 1);
  thread_.join();
  connections_.clear();
  close(listener_);
  close(wakeup_);
}

void Relay::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(target_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // Not connected yet when this returns: what is due is sent when poll says that it can be, and a
  // refusal is an error then.
  if (server < 0 ||
      (connect(server, reinterpret_cast<const sockaddr*>(&target_), target_bytes_) != 0 &&
       errno != EINPROGRESS)) {
    close(client);
    if (server >= 0) close(server);
    return;
  }
  SetNoDelay(client);
  SetNoDelay(server);
  connections_.emplace_back(client, server, one_way_);
}

void Relay::Run() {
  pthread_setname_np(pthread_self(), "relay");
  for (;;) {
    absl::Time now = absl::Now();
    absl::Time next_due = absl::InfiniteFuture();
    std::vector<pollfd> interest = {{listener_, POLLIN, 0}, {wakeup_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      for (const pollfd& fd : connection.Interest(now)) interest.push_back(fd);
      // What is due already waits for the receiver, not for the clock.
      if (connection.NextDue() > now) next_due = std::min(next_due, connection.NextDue());
    }
    const timespec timeout = absl::ToTimespec(std::max(next_due - now, absl::ZeroDuration()));
    ppoll(interest.data(), interest.size(), next_due == absl::InfiniteFuture() ? nullptr : &timeout,
          nullptr);
    if (interest[1].revents != 0) return;

    now = absl::Now();
    size_t at = 2;
    for (auto it = connections_.begin(); it != connections_.end(); at += 2) {
      it = it->Move(interest[at], interest[at + 1], now) ? std::next(it) : connections_.erase(it);
    }
    if (interest[0].revents != 0) Accept();
  }
}

}  // namespace userservice::cli
