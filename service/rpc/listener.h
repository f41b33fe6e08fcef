// Listener: the sockets that listen on an address, and the thread that accepts their connections.
//
//   absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open("127.0.0.1:0");
//   (*listener)->Start([](int socket) { ... });  // who is given a socket closes it
//
// gRPC listens as well, but does not tell which socket a call came through: see answer_burst.h.
// Where a process has no file descriptor left, connections wait, with a warning, until it has.
// Ending: the destructor stops to listen and to accept; the sockets that were given away live on.
#pragma once

#include <netdb.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace userservice::rpc {

class Listener {
 public:
  // Listens on HOST:PORT, on each address of HOST; [::] is all of the machine's, 0.0.0.0 all of
  // IPv4, port 0 one that is free. From now on clients connect, and wait to be accepted.
  // UNAVAILABLE, with what is wrong, if that is not possible.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address);

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  int port() const { return port_; }

  // Accepts from now on. `on_connection` is called on the listener's thread, with a socket that
  // does not block. Once.
  void Start(std::function<void(int socket)> on_connection);

 private:
  Listener() = default;
  absl::Status Listen(const addrinfo& addresses);
  void Run(const std::function<void(int socket)>& on_connection);

  std::vector<int> sockets_;
  int port_ = 0;
  int stop_ = -1;  // an eventfd: readable when the thread is to end
  std::thread thread_;
};

}  // namespace userservice::rpc
