#include "client/cli/bench/load_thread.h"

#include <algorithm>

namespace userservice::cli {
namespace {

// So often a thread without news looks whether it is asked to stop.
constexpr int64_t kWaitMaxNs = 100'000'000;

// gRPC waits in whole milliseconds. What is due sooner is polled for.
constexpr int64_t kPollNs = 2'000'000;

// How many of `count` things fall to thread `index`.
template <class T>
T ShareOf(T count, int index, int threads) {
  return count / threads + (index < count % threads ? 1 : 0);
}

}  // namespace

LoadThread::LoadThread(const LoadOptions& options, const Workload& workload,
                       const std::vector<std::shared_ptr<grpc::Channel>>& channels, int index,
                       const LoadPhases& phases)
    : options_(options),
      workload_(workload),
      phases_(phases),
      concurrency_(ShareOf(options.concurrency, index, options.threads)),
      random_(workload.email_seed + static_cast<uint64_t>(index)),
      emails_(static_cast<uint64_t>(index) << 48U) {
  for (size_t i = static_cast<size_t>(index); i < channels.size();
       i += static_cast<size_t>(options.threads)) {
    channels_.push_back(channels[i]);
    stubs_.push_back(users::v1::UserService::NewStub(channels[i]));
  }
  if (options.rate_per_s.has_value())
    arrivals_.emplace(*options.rate_per_s, phases.start_ns, index, options.threads);
  if (options.calls.has_value()) calls_left_ = ShareOf(*options.calls, index, options.threads);
  for (int i = 0; i < ShareOf(options.watchers, index, options.threads); ++i)
    watchers_.push_back(NewWatchCall());
}

void LoadThread::Run(const std::stop_token& stop) {
  StartWatchers();
  for (;;) {
    const int64_t now = MonotonicNs();
    if (stop.stop_requested() && !stopping_) CancelAll();
    StartDue(now);
    if (in_flight_ == 0 && !MayStart(arrivals_.has_value() ? arrivals_->next_ns() : now)) break;
    void* tag = nullptr;
    bool ok = false;
    const gpr_timespec deadline = ToTimespec(WaitUntilNs(now));
    while (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) {
      Handle(*static_cast<BenchCall::Tag*>(tag), ok);
      if (arrivals_.has_value()) break;
      if (stop.stop_requested()) break;
      StartDue(MonotonicNs());
      if (in_flight_ == 0) break;
    }
  }
  CancelAll();
  void* tag = nullptr;
  bool ok = false;
  while (watching_ > 0 && queue_.Next(&tag, &ok)) Handle(*static_cast<BenchCall::Tag*>(tag), ok);
  queue_.Shutdown();
  while (queue_.Next(&tag, &ok)) {
  }
}

void LoadThread::StartWatchers() {
  for (const std::unique_ptr<WatchCall>& watcher : watchers_) {
    watcher->Start(NextTarget(0, /*is_stream=*/true));
    watcher->active = watcher->watches = true;
    ++watching_;
  }
}

bool LoadThread::IsMeasured(int64_t due_ns) const {
  return due_ns >= phases_.measure_ns && due_ns < phases_.end_ns;
}

// A load of so many calls has no end in time.
bool LoadThread::MayStart(int64_t due_ns) const {
  if (stopping_ || due_ns >= phases_.end_ns) return false;
  return !calls_left_.has_value() || *calls_left_ > 0;
}

void LoadThread::StartDue(int64_t now_ns) {
  if (!arrivals_.has_value()) {
    while (in_flight_ < concurrency_ && MayStart(now_ns)) StartCall(now_ns);
    return;
  }
  while (arrivals_->next_ns() <= now_ns && MayStart(arrivals_->next_ns())) {
    if (now_ns >= phases_.end_ns) {
      ++unsent_;  // the server did not keep up
    } else if (in_flight_ < concurrency_) {
      StartCall(arrivals_->next_ns());
    } else {
      return;
    }
    arrivals_->Advance();
  }
}

void LoadThread::StartCall(int64_t due_ns) {
  const BenchOperation operation = options_.mix.Pick(random_.Next());
  std::vector<BenchCall*>& idle = idle_[IndexOf(operation)];
  if (idle.empty()) {
    calls_.push_back(NewBenchCall(operation));
    calls_.back()->operation = operation;
    idle.push_back(calls_.back().get());
  }
  BenchCall* const call = idle.back();
  idle.pop_back();
  const bool is_stream =
      operation == BenchOperation::kExport || operation == BenchOperation::kImport;
  call->due_ns = due_ns;
  call->active = true;
  if (calls_left_.has_value() && IsMeasured(due_ns)) --*calls_left_;
  ++in_flight_;
  call->Start(NextTarget(due_ns, is_stream));
}

// A call's deadline counts from when it was due: what is late by its own schedule has less time.
CallTarget LoadThread::NextTarget(int64_t now_ns, bool is_stream) {
  CallTarget target;
  target.workload = &workload_;
  target.queue = &queue_;
  target.random = &random_;
  target.emails = &emails_;
  target.stub = stubs_[next_stub_].get();
  target.channel = channels_[next_stub_].get();
  next_stub_ = (next_stub_ + 1) % stubs_.size();
  if (!is_stream) {
    target.deadline_ns = now_ns + absl::ToInt64Nanoseconds(options_.timeout);
  } else if (options_.stream_timeout.has_value() && now_ns > 0) {
    target.deadline_ns = now_ns + absl::ToInt64Nanoseconds(*options_.stream_timeout);
  }
  return target;
}

int64_t LoadThread::WaitUntilNs(int64_t now_ns) const {
  if (!arrivals_.has_value() || in_flight_ >= concurrency_) return now_ns + kWaitMaxNs;
  const int64_t due_ns = arrivals_->next_ns();
  if (!MayStart(due_ns)) return now_ns + kWaitMaxNs;
  if (due_ns - now_ns < kPollNs) return now_ns;
  return std::min(due_ns - kPollNs / 2, now_ns + kWaitMaxNs);
}

void LoadThread::Handle(const BenchCall::Tag& tag, bool ok) {
  BenchCall* const call = tag.call;
  if (!call->Proceed(tag.number, ok)) return;
  call->active = false;
  if (call->watches) {
    --watching_;
    if (!stopping_) ++watch_errors_[call->error().empty() ? "ended" : call->error()];
    return;
  }
  --in_flight_;
  if (IsMeasured(call->due_ns) && !stopping_) Record(*call, MonotonicNs());
  idle_[IndexOf(call->operation)].push_back(call);
}

void LoadThread::Record(const BenchCall& call, int64_t now_ns) {
  OperationResult& result = results_[IndexOf(call.operation)];
  result.latency.Record(now_ns - call.due_ns);
  result.rows += call.rows();
  last_end_ns_ = now_ns;
  if (const std::string error = call.error(); !error.empty()) {
    ++result.failed;
    ++result.errors[error];
  }
}

void LoadThread::CancelAll() {
  stopping_ = true;
  for (const std::unique_ptr<BenchCall>& call : calls_) {
    if (call->active) call->Cancel();
  }
  for (const std::unique_ptr<WatchCall>& watcher : watchers_) {
    if (watcher->active) watcher->Cancel();
  }
}

void LoadThread::AddTo(LoadResult& result) const {
  for (size_t i = 0; i < results_.size(); ++i) {
    result.operations[i].Add(results_[i]);
    result.all.Add(results_[i]);
  }
  for (const std::unique_ptr<WatchCall>& watcher : watchers_) {
    result.watch_messages += watcher->messages();
    result.watch_changes += watcher->changes();
  }
  for (const auto& [error, count] : watch_errors_) result.watch_errors[error] += count;
  result.unsent += unsent_;
}

}  // namespace userservice::cli
