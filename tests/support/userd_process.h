// UserdProcess: the program userd as an operator starts it, on a free port of 127.0.0.1. Killed
// when the object ends.
//
//   UserdProcess userd({"--database=" + path});
//   ASSERT_TRUE(userd.WaitUntilServing()) << userd.errors();
//   userd.Signal(SIGTERM);
//   EXPECT_EQ(userd.WaitForExit(), 0);
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/temporary_directory.h"

namespace userservice {

struct UserdOptions {
  UserdOptions() = default;
  std::vector<std::string> environment;  // NAME=value, besides this process' own
  std::vector<std::string> prefix;       // the command that starts userd, and its arguments
  bool own_port = true;                  // --listen_address=127.0.0.1:0 comes first
};

class UserdProcess {
 public:
  explicit UserdProcess(const std::vector<std::string>& flags,
                        const UserdOptions& options = UserdOptions());
  ~UserdProcess();
  UserdProcess(const UserdProcess&) = delete;
  UserdProcess& operator=(const UserdProcess&) = delete;

  // True once it has printed that it listens; false if it exits before that.
  [[nodiscard]] bool WaitUntilServing();
  // HOST:PORT, as printed.
  const std::string& address() const { return address_; }

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // SIGSTOP, and waits until none of its threads runs any more. SIGCONT lets it go on.
  void Suspend() const;
  // The exit code, 128 + signal if a signal ended it; nothing if it still runs after `limit`.
  std::optional<int> WaitForExit(absl::Duration limit = absl::Seconds(60));

  // What it has written so far.
  std::string output() const;
  std::string errors() const;

  // Resident memory, in bytes.
  size_t memory_bytes() const;

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> exit_code_;
  std::string address_;
};

}  // namespace userservice
