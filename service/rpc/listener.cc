#include "service/rpc/listener.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "spdlog/spdlog.h"

namespace userservice::rpc {
namespace {

// How long nothing is accepted where that fails: mostly, there is no descriptor left.
constexpr int kPauseMs = 100;
// How often that is said.
constexpr absl::Duration kBetweenAcceptWarnings = absl::Seconds(10);

constexpr uint32_t kPortMax = 65'535;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::Status SystemError() { return absl::UnavailableError(std::strerror(errno)); }

// "[::1]:50051" -> the addresses of ::1 with that port.
absl::StatusOr<Addresses> Resolve(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return absl::UnavailableError("it has no :PORT");
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == address.substr(0, colon) && host.find(':') != std::string_view::npos)
    return absl::UnavailableError("an IPv6 address is written in brackets, as in [::1]:50051");
  const std::string port(address.substr(colon + 1));
  uint32_t number = 0;
  if (port.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(port, &number) || number > kPortMax)
    return absl::UnavailableError(absl::StrCat("'", port, "' is no port from 0 to ", kPortMax));

  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : std::string(host).c_str(), port.c_str(),
                                &wanted, &found);
  if (error == EAI_SYSTEM) return SystemError();
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  return Addresses(found, &freeaddrinfo);
}

// A name may be given one address twice, in two lines of /etc/hosts.
bool ComesBefore(const addrinfo* first, const addrinfo& address) {
  for (; first != &address; first = first->ai_next) {
    if (first->ai_addrlen == address.ai_addrlen &&
        std::memcmp(first->ai_addr, address.ai_addr, address.ai_addrlen) == 0)
      return true;
  }
  return false;
}

in_port_t& PortIn(sockaddr_storage& name) {
  return name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                    : reinterpret_cast<sockaddr_in&>(name).sin_port;
}

absl::StatusOr<int> PortOf(int socket) {
  sockaddr_storage name{};
  socklen_t bytes = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &bytes) != 0) return SystemError();
  return ntohs(PortIn(name));
}

bool SetOption(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address) {
  const absl::StatusOr<Addresses> addresses = Resolve(address);
  absl::Status status = addresses.status();
  std::unique_ptr<Listener> listener(new Listener);
  if (status.ok()) {
    status = listener->Listen(**addresses);
    listener->stop_ = eventfd(0, EFD_CLOEXEC);
    if (status.ok() && listener->stop_ < 0) status = SystemError();
  }
  if (status.ok()) return listener;
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", status.message(),
                                             "; --listen_address=HOST:PORT chooses another"));
}

absl::Status Listener::Listen(const addrinfo& addresses) {
  // Alone, [::] stands for IPv4's addresses too. Where a name has both, they are two sockets.
  const int only_ipv6 = addresses.ai_next != nullptr ? 1 : 0;
  absl::Status missing;
  for (const addrinfo* address = &addresses; address != nullptr; address = address->ai_next) {
    if (ComesBefore(&addresses, *address)) continue;
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0 && errno == EAFNOSUPPORT) {
      missing = SystemError();
      continue;
    }
    if (socket < 0) return SystemError();
    sockets_.push_back(socket);
    // A restarted server need not wait for the connections of the one before it to be forgotten.
    // SO_REUSEPORT, in contrast, would let two servers share the port without knowing it.
    if (!SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return SystemError();
    if (address->ai_family == AF_INET6 && !SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, only_ipv6))
      return SystemError();
    sockaddr_storage name{};
    std::memcpy(&name, address->ai_addr, address->ai_addrlen);
    if (port_ != 0) PortIn(name) = htons(static_cast<in_port_t>(port_));
    if (bind(socket, reinterpret_cast<sockaddr*>(&name), address->ai_addrlen) != 0) {
      // "localhost" is ::1 too on a machine that has no IPv6.
      if (errno != EADDRNOTAVAIL) return SystemError();
      missing = SystemError();
      close(socket);
      sockets_.pop_back();
      continue;
    }
    if (listen(socket, SOMAXCONN) != 0) return SystemError();
    const absl::StatusOr<int> port = PortOf(socket);
    if (!port.ok()) return port.status();
    port_ = *port;
  }
  return sockets_.empty() ? missing : absl::OkStatus();
}

Listener::~Listener() {
  if (thread_.joinable()) {
    eventfd_write(stop_, 1);
    thread_.join();
  }
  for (const int socket : sockets_) close(socket);
  if (stop_ >= 0) close(stop_);
}

void Listener::Start(std::function<void(int socket)> on_connection) {
  thread_ = std::thread([this, function = std::move(on_connection)] { Run(function); });
  pthread_setname_np(thread_.native_handle(), "accept");
}

void Listener::Run(const std::function<void(int socket)>& on_connection) {
  std::vector<pollfd> events;
  for (const int socket : sockets_) events.push_back({socket, POLLIN, 0});
  events.push_back({stop_, POLLIN, 0});
  absl::Time next_warning = absl::InfinitePast();
  pollfd& stop = events.back();
  while (stop.revents == 0) {
    if (poll(events.data(), events.size(), -1) < 0) continue;
    for (const int listening : sockets_) {
      const int socket = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        on_connection(socket);
        continue;
      }
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) continue;
      if (absl::Now() >= next_warning) {
        spdlog::warn("connections wait to be accepted: {}{}", std::strerror(errno),
                     errno == EMFILE ? "; ulimit -n sets how many" : "");
        next_warning = absl::Now() + kBetweenAcceptWarnings;
      }
      poll(&stop, 1, kPauseMs);
    }
  }
}

}  // namespace userservice::rpc
