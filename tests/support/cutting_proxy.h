// CuttingProxy: a TCP proxy on 127.0.0.1 that cuts connections after a number of bytes, as a
// network does.
//
//   CuttingProxy proxy(server_address, {1000, 2000});
//
// The first connection is reset once 1,000 bytes, both ways together, have passed; the second after
// 2,000; those that follow are left alone.
// Threads: one of its own, which serves one connection after another. It ends with the object.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace userservice {

class CuttingProxy {
 public:
  // `target` is 127.0.0.1:PORT.
  CuttingProxy(const std::string& target, std::vector<size_t> bytes_max);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& address() const { return address_; }
  int connections() const { return connections_; }

 private:
  void Run();
  void Serve(int client, size_t bytes_left);

  int target_port_;
  const std::vector<size_t> bytes_max_;
  int listener_;
  int wakeup_;  // an eventfd that ends Run
  std::string address_;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace userservice
