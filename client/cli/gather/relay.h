// Relay: a TCP relay in this program that makes a local server as far away as a remote one.
//
//   absl::StatusOr<std::unique_ptr<Relay>> relay = Relay::Start("127.0.0.1:50051",
//   absl::Milliseconds(20)); auto client = UserClient::Connect((*relay)->address());
//
// Each byte arrives half a round trip after it was sent, both ways, in order. Bandwidth is not
// limited: what was sent together arrives together. An end of stream is delayed like a byte.
// Threads: one of its own, from Start to the destructor, which cuts the connections that are still
//   open.
// Bounds: a direction holds at most 64 MiB; beyond that its sender has to wait.
#pragma once

#include <sys/socket.h>

#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct addrinfo;  // NOLINT(readability-identifier-naming): of <netdb.h>

namespace userservice::cli {

class Relay {
 public:
  // Listens on a free port of 127.0.0.1. `target` is HOST:PORT; it is connected to once per
  // incoming connection. UNAVAILABLE if nothing listens there now.
  static absl::StatusOr<std::unique_ptr<Relay>> Start(const std::string& target,
                                                      absl::Duration round_trip);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::string& address() const { return address_; }

 private:
  class Connection;
  static absl::StatusOr<std::unique_ptr<Relay>> Listen(const addrinfo& target,
                                                       absl::Duration round_trip);
  Relay(int listener, int wakeup, const addrinfo& target, std::string address,
        absl::Duration one_way);
  void Run();
  void Accept();

  const int listener_;
  const int wakeup_;  // an eventfd that ends Run
  sockaddr_storage target_{};
  const socklen_t target_bytes_;
  const std::string address_;
  const absl::Duration one_way_;
  std::list<Connection> connections_;  // of the thread
  std::thread thread_;
};

}  // namespace userservice::cli
