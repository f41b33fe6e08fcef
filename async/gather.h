// Gather: awaits several tasks at once, as asyncio.gather does.
//
//   StatusOr<tuple<A, B>> both = co_await Gather(GetA(), GetB());  // Task<StatusOr<A>>, ...
//   StatusOr<vector<A>> all = co_await Gather(std::move(tasks), options);  // max_in_flight = 64
//   tuple<StatusOr<A>, StatusOr<B>> each = co_await GatherOutcomes(GetA(), GetB());
//
// Start: every task is started before any is awaited, in order (with max_in_flight, the next one
//   starts when one ends).
// Results: in the order of the arguments, whatever the order of completion.
// Failure: Gather asks the siblings to stop through their stop token, starts no further task, waits
//   for all that run, and gives the error that came first. GatherOutcomes lets all run and gives
//   each one's outcome. A task fails by giving an absl::Status or StatusOr that is not OK, or by an
//   exception. Exceptions leave through the co_await in both, the first one only, after all tasks
//   have ended.
// Stop: a stop of the awaiting task reaches all of them.
// Threads: tasks may complete on any thread.
// Stack: constant, for any number of tasks.
#pragma once

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/stop.h"
#include "async/task.h"

namespace userservice {

struct GatherOptions {
  explicit GatherOptions(size_t tasks_in_flight_max = std::numeric_limits<size_t>::max())
      : max_in_flight(tasks_in_flight_max) {}
  size_t max_in_flight;  // at least 1
};

namespace internal {

// How a task's result fails, and what it is worth when it does not.
template <class T>
struct ResultTraits {
  using Value = T;
  static constexpr bool kCanFail = false;
  static absl::Status StatusOf(const T&) { return absl::OkStatus(); }
  static Value Take(T&& result) { return std::move(result); }
};
template <class T>
struct ResultTraits<absl::StatusOr<T>> {
  using Value = T;
  static constexpr bool kCanFail = true;
  static absl::Status StatusOf(const absl::StatusOr<T>& result) { return result.status(); }
  static Value Take(absl::StatusOr<T>&& result) { return *std::move(result); }
};
template <>
struct ResultTraits<absl::Status> {
  using Value = std::monostate;
  static constexpr bool kCanFail = true;
  static absl::Status StatusOf(const absl::Status& result) { return result; }
  static Value Take(const absl::Status&) { return {}; }
};

enum class OnFailure { kStopSiblings, kGoOn };

// What the lanes of one Gather share: the count of those that run, the first failure, and the
// siblings' stop source. Lives in Gather's frame, which outlives the lanes.
class GatherScope {
 public:
  GatherScope(OnFailure on_failure, size_t tasks, const std::stop_token& parent)
      : on_failure_(on_failure),
        tasks_(tasks),
        token_(source_.get_token()),
        stop_with_parent_(parent, StopSource{&source_}) {}

  // The next task to start, or nothing when all are taken or a failure ended the gathering.
  std::optional<size_t> TakeNext() {
    if (failed_.load(std::memory_order_acquire) && on_failure_ == OnFailure::kStopSiblings)
      return {};
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= tasks_) return {};
    return index;
  }

  // Only the first failure is kept.
  void Fail(absl::Status status, std::exception_ptr exception) {
    if (exception) {
      if (!exception_claimed_.exchange(true)) exception_ = std::move(exception);
    }
    if (failed_.exchange(true, std::memory_order_acq_rel)) return;
    first_error_ = std::move(status);
    if (on_failure_ == OnFailure::kStopSiblings) source_.request_stop();
  }

  const std::stop_token& token() const { return token_; }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  const absl::Status& first_error() const { return first_error_; }
  void RethrowIfException() const {
    if (exception_) std::rethrow_exception(exception_);
  }

  // One share for each lane, and one for the starter, so that nobody resumes it while it still
  // starts lanes.
  void AddShares(size_t n) { shares_.store(n, std::memory_order_relaxed); }
  // True for the last one.
  bool DropShare() { return shares_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  std::coroutine_handle<> waiter;

 private:
  struct StopSource {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };

  const OnFailure on_failure_;
  const size_t tasks_;
  std::stop_source source_;
  const std::stop_token token_;
  std::stop_callback<StopSource> stop_with_parent_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> shares_{0};
  std::atomic<bool> failed_{false};
  std::atomic<bool> exception_claimed_{false};
  absl::Status first_error_;
  std::exception_ptr exception_;
};

// A lane runs one task after another until there are none left; the last lane to end resumes the
// gatherer.
class Lane {
 public:
  struct promise_type : TaskPromiseBase {
    GatherScope* scope = nullptr;

    Lane get_return_object() noexcept {
      return Lane(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> self) const noexcept {
        GatherScope* const shared = self.promise().scope;
        // Read first: the last share frees the scope.
        const std::coroutine_handle<> waiter = shared->waiter;
        return shared->DropShare() ? waiter : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    Final final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {
      std::terminate();
    }  // RunLane catches what tasks throw
  };

  Lane(Lane&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Lane& operator=(Lane&&) = delete;
  ~Lane() {
    if (coroutine_) coroutine_.destroy();
  }

  void Start(GatherScope& scope) {
    coroutine_.promise().scope = &scope;
    coroutine_.promise().set_stop_token(scope.token());
    coroutine_.resume();
  }

 private:
  explicit Lane(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

// co_await StartAndWait(scope, lanes): starts them all, resumes when all have ended.
class StartAndWait {
 public:
  StartAndWait(GatherScope& scope, std::vector<Lane>& lanes) : scope_(scope), lanes_(lanes) {}
  bool await_ready() const noexcept { return lanes_.empty(); }
  bool await_suspend(std::coroutine_handle<> waiter) {
    scope_.waiter = waiter;
    scope_.AddShares(lanes_.size() + 1);
    for (Lane& lane : lanes_) lane.Start(scope_);
    return !scope_.DropShare();
  }
  void await_resume() const noexcept {}

 private:
  GatherScope& scope_;
  std::vector<Lane>& lanes_;
};

// Awaits `task` into `slot` and tells the scope if it failed.
template <class T>
Task<void> RunInto(Task<T> task, std::optional<T>& slot, GatherScope& scope) {
  try {
    slot.emplace(co_await std::move(task));
    if constexpr (ResultTraits<T>::kCanFail) {
      absl::Status status = ResultTraits<T>::StatusOf(*slot);
      if (!status.ok()) scope.Fail(std::move(status), nullptr);
    }
  } catch (...) {
    scope.Fail(absl::UnknownError("a gathered task threw"), std::current_exception());
  }
}

// A lane over the tasks of a vector.
template <class T>
Lane RunLane(std::vector<Task<T>>& tasks, std::vector<std::optional<T>>& slots,
             GatherScope& scope) {
  while (const std::optional<size_t> index = scope.TakeNext()) {
    co_await RunInto(std::move(tasks[*index]), slots[*index], scope);
  }
}

// A lane over one task of a tuple.
template <class T>
Lane RunOne(Task<T>& task, std::optional<T>& slot, GatherScope& scope) {
  if (scope.TakeNext().has_value()) co_await RunInto(std::move(task), slot, scope);
}

// The first error, if any; else nothing. Slots of tasks that were never started are empty.
template <class T>
Task<absl::Status> RunAll(OnFailure on_failure, std::vector<Task<T>>& tasks,
                          std::vector<std::optional<T>>& slots, size_t max_in_flight) {
  const std::stop_token parent = co_await CurrentStopToken();
  GatherScope scope(on_failure, tasks.size(), parent);
  std::vector<Lane> lanes;
  const size_t lane_count = std::min(tasks.size(), std::max<size_t>(1, max_in_flight));
  lanes.reserve(lane_count);
  for (size_t i = 0; i < lane_count; ++i) lanes.push_back(RunLane(tasks, slots, scope));
  co_await StartAndWait(scope, lanes);
  scope.RethrowIfException();
  co_return scope.first_error();
}

template <class... T, size_t... I>
Task<absl::Status> RunTuple(OnFailure on_failure, std::tuple<Task<T>...>& tasks,
                            std::tuple<std::optional<T>...>& slots, std::index_sequence<I...>) {
  const std::stop_token parent = co_await CurrentStopToken();
  GatherScope scope(on_failure, sizeof...(T), parent);
  std::vector<Lane> lanes;
  lanes.reserve(sizeof...(T));
  (lanes.push_back(RunOne(std::get<I>(tasks), std::get<I>(slots), scope)), ...);
  co_await StartAndWait(scope, lanes);
  scope.RethrowIfException();
  co_return scope.first_error();
}

template <class... T>
inline constexpr bool kAnyCanFail = (ResultTraits<T>::kCanFail || ...);

template <class... T>
using GatheredTuple =
    std::conditional_t<kAnyCanFail<T...>,
                       absl::StatusOr<std::tuple<typename ResultTraits<T>::Value...>>,
                       std::tuple<typename ResultTraits<T>::Value...>>;
template <class T>
using GatheredVector =
    std::conditional_t<ResultTraits<T>::kCanFail,
                       absl::StatusOr<std::vector<typename ResultTraits<T>::Value>>,
                       std::vector<typename ResultTraits<T>::Value>>;

}  // namespace internal

// The values of all, or the first failure. Plain values (neither Status nor StatusOr) come as they
// are.
template <class... T>
Task<internal::GatheredTuple<T...>> Gather(Task<T>... task) {
  std::tuple<Task<T>...> tasks(std::move(task)...);
  std::tuple<std::optional<T>...> slots;
  const absl::Status status = co_await internal::RunTuple(internal::OnFailure::kStopSiblings, tasks,
                                                          slots, std::index_sequence_for<T...>());
  if constexpr (internal::kAnyCanFail<T...>) {
    if (!status.ok()) co_return status;
  }
  auto take = [](auto&... slot) {
    return std::tuple<typename internal::ResultTraits<T>::Value...>(
        internal::ResultTraits<T>::Take(std::move(*slot))...);
  };
  co_return std::apply(take, slots);
}

template <class T>
Task<internal::GatheredVector<T>> Gather(std::vector<Task<T>> tasks,
                                         GatherOptions options = GatherOptions()) {
  std::vector<std::optional<T>> slots(tasks.size());
  const absl::Status status = co_await internal::RunAll(internal::OnFailure::kStopSiblings, tasks,
                                                        slots, options.max_in_flight);
  if constexpr (internal::ResultTraits<T>::kCanFail) {
    if (!status.ok()) co_return status;
  }
  std::vector<typename internal::ResultTraits<T>::Value> values;
  values.reserve(slots.size());
  for (std::optional<T>& slot : slots)
    values.push_back(internal::ResultTraits<T>::Take(std::move(*slot)));
  co_return values;
}

// The outcome of each.
template <class... T>
Task<std::tuple<T...>> GatherOutcomes(Task<T>... task) {
  std::tuple<Task<T>...> tasks(std::move(task)...);
  std::tuple<std::optional<T>...> slots;
  // The first error is among the outcomes.
  (void)co_await internal::RunTuple(internal::OnFailure::kGoOn, tasks, slots,
                                    std::index_sequence_for<T...>());
  auto take = [](auto&... slot) { return std::tuple<T...>(std::move(*slot)...); };
  co_return std::apply(take, slots);
}

template <class T>
Task<std::vector<T>> GatherOutcomes(std::vector<Task<T>> tasks,
                                    GatherOptions options = GatherOptions()) {
  std::vector<std::optional<T>> slots(tasks.size());
  (void)co_await internal::RunAll(internal::OnFailure::kGoOn, tasks, slots, options.max_in_flight);
  std::vector<T> outcomes;
  outcomes.reserve(slots.size());
  for (std::optional<T>& slot : slots) outcomes.push_back(std::move(*slot));
  co_return outcomes;
}

}  // namespace userservice
