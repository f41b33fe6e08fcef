// Sequencer: tasks that suspend until the test lets them go on, in any order it likes. Instead of
// sleeping.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>
#include <vector>

namespace userservice {

class Sequencer {
 public:
  // co_await sequencer.Turn(): suspends until Release(i), where i counts the Turns awaited so far.
  auto Turn() {
    struct Awaiter {
      Sequencer& sequencer;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> awaiting) const {
        sequencer.waiting_.push_back(awaiting);
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

  // How many have awaited a turn.
  size_t arrived() const { return waiting_.size(); }
  void Release(size_t i) { std::exchange(waiting_[i], std::noop_coroutine()).resume(); }

 private:
  std::vector<std::coroutine_handle<>> waiting_;
};

// Counts how many of it are alive.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

}  // namespace userservice
