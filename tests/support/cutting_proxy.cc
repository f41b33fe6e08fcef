#include "tests/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

namespace userservice {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// With a reset, not an end of stream.
void Cut(int socket) {
  const linger at_once = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(socket);
}

// At most `bytes_left` of what is there; false at the end of the stream.
bool Forward(int from, int to, size_t& bytes_left) {
  std::array<char, 4096> buffer;
  const ssize_t read = recv(from, buffer.data(), std::min(buffer.size(), bytes_left), 0);
  if (read <= 0) return false;
  bytes_left -= static_cast<size_t>(read);
  for (ssize_t sent = 0; sent < read;) {
    const ssize_t now =
        send(to, buffer.data() + sent, static_cast<size_t>(read - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& target, std::vector<size_t> bytes_max)
    : target_port_(std::atoi(target.substr(target.rfind(':') + 1).c_str())),
      bytes_max_(std::move(bytes_max)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      wakeup_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("CuttingProxy can not listen");
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  eventfd_write(wakeup_, 1);
  thread_.join();
  close(listener_);
  close(wakeup_);
}

void CuttingProxy::Run() {
  for (;;) {
    std::array<pollfd, 2> interests = {{{wakeup_, POLLIN, 0}, {listener_, POLLIN, 0}}};
    poll(interests.data(), interests.size(), -1);
    if (interests[0].revents != 0) return;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const auto number = static_cast<size_t>(connections_++);
    Serve(client,
          number < bytes_max_.size() ? bytes_max_[number] : std::numeric_limits<size_t>::max());
  }
}

void CuttingProxy::Serve(int client, size_t bytes_left) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open && bytes_left > 0) {
    std::array<pollfd, 3> interests = {
        {{wakeup_, POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}}};
    poll(interests.data(), interests.size(), -1);
    if (interests[0].revents != 0) break;
    if (interests[1].revents != 0) open = Forward(client, server, bytes_left);
    if (open && bytes_left > 0 && interests[2].revents != 0)
      open = Forward(server, client, bytes_left);
  }
  Cut(client);
  Cut(server);
}

}  // namespace userservice
