#include "client/cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

#include "client/cli/command.h"

namespace userservice::cli {
namespace {

// SIGUSR1 ends the thread that waits for the others.
sigset_t Watched() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

}  // namespace

InterruptScope::InterruptScope() {
  const sigset_t signals = Watched();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Run(); });
}

InterruptScope::~InterruptScope() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void InterruptScope::Run() {
  const sigset_t signals = Watched();
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal == SIGUSR1) return;
    if (!source_.request_stop()) _exit(kExitInterrupted);
  }
}

}  // namespace userservice::cli
