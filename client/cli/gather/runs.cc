#include "client/cli/gather/runs.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "async/gather.h"

namespace userservice::cli {
namespace {

// Collects the records of one run. The observers are called on the client's thread, one at a time.
class Recorder {
 public:
  explicit Recorder(size_t calls) : start_(absl::Now()) {
    run_.calls.resize(calls);
    run_.server_spans.resize(calls);
  }

  CallOptions OptionsFor(size_t index) {
    CallOptions options;
    options.observer = [this, index](const CallRecord& record) {
      run_.calls[index] = {record.start - start_, record.end - start_};
      run_.server_spans[index] = record.server_spans;
    };
    return options;
  }

  MeasuredRun Finish(std::vector<Answer> answers) {
    run_.answers = std::move(answers);
    for (const Interval& call : run_.calls) run_.total = std::max(run_.total, call.end);
    return std::move(run_);
  }

 private:
  const absl::Time start_;
  MeasuredRun run_;
};

}  // namespace

Task<absl::StatusOr<MeasuredRun>> RunOneAfterAnother(UserClient& client,
                                                     const std::vector<PlannedCall>& plan) {
  Recorder recorder(plan.size());
  std::vector<Answer> answers;
  for (size_t i = 0; i < plan.size(); ++i) {
    const CallOptions options = recorder.OptionsFor(i);
    absl::StatusOr<Answer> answer = co_await plan[i].call(client, options);
    if (!answer.ok()) co_return answer.status();
    answers.push_back(*std::move(answer));
  }
  co_return recorder.Finish(std::move(answers));
}

Task<absl::StatusOr<MeasuredRun>> RunGathered(UserClient& client,
                                              const std::vector<PlannedCall>& plan) {
  Recorder recorder(plan.size());
  std::vector<Task<absl::StatusOr<Answer>>> tasks;
  for (size_t i = 0; i < plan.size(); ++i)
    tasks.push_back(plan[i].call(client, recorder.OptionsFor(i)));
  absl::StatusOr<std::vector<Answer>> answers = co_await Gather(std::move(tasks));
  if (!answers.ok()) co_return answers.status();
  co_return recorder.Finish(*std::move(answers));
}

absl::Duration SpanOf(const MeasuredRun& run, const std::vector<PlannedCall>& plan, Kind kind) {
  absl::Duration first = absl::InfiniteDuration();
  absl::Duration last = absl::ZeroDuration();
  for (size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].kind != kind) continue;
    first = std::min(first, run.calls[i].start);
    last = std::max(last, run.calls[i].end);
  }
  return std::max(last - first, absl::ZeroDuration());
}

}  // namespace userservice::cli
