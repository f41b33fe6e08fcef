#include "tests/support/userd_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/support/eventually.h"

namespace userservice {
namespace {

constexpr char kListening[] = "listening on ";

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

}  // namespace

UserdProcess::UserdProcess(const std::vector<std::string>& flags, const UserdOptions& options) {
  std::vector<std::string> command = options.prefix;
  command.emplace_back(USERD_PATH);
  if (options.own_port) command.emplace_back("--listen_address=127.0.0.1:0");
  command.insert(command.end(), flags.begin(), flags.end());
  std::vector<std::string> environment = options.environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, directory_.File("out").c_str(), kWrite,
                                   0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, directory_.File("err").c_str(), kWrite,
                                   0600);
  const int error = posix_spawnp(&pid_, command[0].c_str(), &files, nullptr,
                                 Pointers(command).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::runtime_error(absl::StrCat("cannot start ", command[0]));
  // glibc 2.36 declares pidfd_open without extern "C".
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

UserdProcess::~UserdProcess() {
  if (!exit_code_.has_value()) {
    Signal(SIGKILL);
    (void)WaitForExit();
  }
  close(pidfd_);
}

bool UserdProcess::WaitUntilServing() {
  const auto has_said_so = [this] {
    const std::string text = output();
    const size_t begin = text.find(kListening);
    const size_t end = text.find('\n', begin);
    if (begin == std::string::npos || end == std::string::npos) {
      return WaitForExit(absl::ZeroDuration()).has_value();
    }
    const size_t address = begin + sizeof(kListening) - 1;
    address_ = text.substr(address, end - address);
    return true;
  };
  return Eventually(has_said_so, absl::Seconds(120)) && !address_.empty();
}

void UserdProcess::Signal(int signal) const {
  if (!exit_code_.has_value()) kill(pid_, signal);
}

void UserdProcess::Suspend() const {
  Signal(SIGSTOP);
  siginfo_t stopped = {};
  waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED);
}

std::optional<int> UserdProcess::WaitForExit(absl::Duration limit) {
  if (exit_code_.has_value()) return exit_code_;
  pollfd exited = {pidfd_, POLLIN, 0};
  if (poll(&exited, 1, static_cast<int>(absl::ToInt64Milliseconds(limit))) != 1)
    return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

std::string UserdProcess::output() const { return Contents(directory_.File("out")); }
std::string UserdProcess::errors() const { return Contents(directory_.File("err")); }

size_t UserdProcess::memory_bytes() const {
  std::ifstream statm(absl::StrCat("/proc/", pid_, "/statm"));
  size_t pages = 0;
  size_t resident_pages = 0;
  statm >> pages >> resident_pages;
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace userservice
