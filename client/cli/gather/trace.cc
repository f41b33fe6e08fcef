#include "client/cli/gather/trace.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>

#include "absl/strings/str_format.h"
#include "client/cli/json_text.h"

namespace userservice::cli {
namespace {

// The track of each call: the first on which the one before has ended.
std::vector<size_t> TracksOf(const std::vector<Interval>& calls) {
  std::vector<size_t> by_start(calls.size());
  for (size_t i = 0; i < calls.size(); ++i) by_start[i] = i;
  std::sort(by_start.begin(), by_start.end(), [&](size_t a, size_t b) {
    return std::tie(calls[a].start, a) < std::tie(calls[b].start, b);
  });
  std::vector<absl::Duration> busy_until;
  std::vector<size_t> tracks(calls.size());
  for (const size_t call : by_start) {
    const auto is_free = [&](absl::Duration until) { return until <= calls[call].start; };
    const auto free = std::find_if(busy_until.begin(), busy_until.end(), is_free);
    tracks[call] = static_cast<size_t>(free - busy_until.begin());
    if (free == busy_until.end()) busy_until.push_back(absl::ZeroDuration());
    busy_until[tracks[call]] = calls[call].end;
  }
  return tracks;
}

class TraceWriter {
 public:
  explicit TraceWriter(std::ostream& out) : out_(out) {
    out_ << "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  }
  ~TraceWriter() { out_ << "\n]}\n"; }
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  void NameProcess(int process, const std::string& name) {
    Event(absl::StrFormat(R"({"ph": "M", "name": "process_name", "pid": %d, "args": {"name": %s}})",
                          process, JsonText(name)));
  }

  void NameTrack(int process, size_t track) {
    Event(absl::StrFormat(
        R"({"ph": "M", "name": "thread_name", "pid": %d, "tid": %d, "args": {"name": "in flight %d"}})",
        process, track + 1, track + 1));
  }

  void Span(int process, size_t track, const std::string& name, const char* category,
            const Interval& when) {
    // Rounded before the difference is taken, so that what is nested stays nested.
    const double start_us = Rounded(when.start);
    Event(absl::StrFormat(
        R"({"ph": "X", "name": %s, "cat": "%s", "pid": %d, "tid": %d, "ts": %.3f, "dur": %.3f})",
        JsonText(name), category, process, track + 1, start_us, Rounded(when.end) - start_us));
  }

 private:
  static double Rounded(absl::Duration duration) {
    return static_cast<double>(absl::ToInt64Nanoseconds(duration)) / 1000;
  }

  void Event(const std::string& json) {
    out_ << (first_ ? "\n" : ",\n") << json;
    first_ = false;
  }

  std::ostream& out_;
  bool first_ = true;
};

void WriteServerSpans(TraceWriter& trace, int process, size_t track, const Interval& call,
                      const std::vector<ServerSpan>& spans) {
  const auto total = std::find_if(spans.begin(), spans.end(),
                                  [](const ServerSpan& span) { return span.name == "total"; });
  if (total == spans.end()) return;
  const absl::Duration inside = std::min(total->duration, call.end - call.start);
  Interval server;
  server.start = call.start + (call.end - call.start - inside) / 2;
  server.end = server.start + inside;
  trace.Span(process, track, "server", "server", server);
  Interval part = {server.start, server.start};
  for (const ServerSpan& span : spans) {
    if (span.name == "total") continue;
    part.end = std::min(part.start + span.duration, server.end);
    trace.Span(process, track, span.name, "server", part);
    part.start = part.end;
  }
}

void WriteRun(TraceWriter& trace, int process, const std::string& name,
              const std::vector<PlannedCall>& plan, const MeasuredRun& run) {
  trace.NameProcess(process, name);
  const std::vector<size_t> tracks = TracksOf(run.calls);
  const size_t track_count =
      tracks.empty() ? 0 : *std::max_element(tracks.begin(), tracks.end()) + 1;
  for (size_t track = 0; track < track_count; ++track) trace.NameTrack(process, track);
  for (size_t i = 0; i < plan.size(); ++i) {
    trace.Span(process, tracks[i], plan[i].label, "client", run.calls[i]);
    WriteServerSpans(trace, process, tracks[i], run.calls[i], run.server_spans[i]);
  }
}

}  // namespace

void WriteTrace(std::ostream& out, const std::vector<PlannedCall>& plan,
                const MeasuredRun& sequential, const MeasuredRun& gathered) {
  TraceWriter trace(out);
  WriteRun(trace, 1, "one after another", plan, sequential);
  WriteRun(trace, 2, "gathered", plan, gathered);
}

}  // namespace userservice::cli
