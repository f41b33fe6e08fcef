// Turns SIGINT and SIGTERM into a stop token. A second one ends the program at once.
//
// Made before any other thread, since threads inherit the signal mask. One at a time.
#pragma once

#include <stop_token>
#include <thread>

namespace userservice::cli {

class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void Run();

  std::stop_source source_;
  std::thread thread_;
};

}  // namespace userservice::cli
