#include "client/cli/bench/bench_report.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/csv.h"
#include "client/cli/json_text.h"
#include "client/cli/table.h"
#include "client/cli/text_width.h"

namespace userservice::cli {
namespace {

constexpr std::array<double, 5> kPercentiles = {50, 90, 99, 99.9, 99.99};

double PerSecond(int64_t count, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double MicrosecondsEach(absl::Duration all, int64_t calls) {
  return calls > 0 ? absl::ToDoubleMicroseconds(all) / static_cast<double>(calls) : 0;
}

// 3 digits and a unit: 87.4 us, 1.25 ms, 2.10 s.
std::string LatencyText(int64_t nanoseconds) {
  const double value = static_cast<double>(nanoseconds);
  const auto digits = [](double number, const char* unit) {
    const int decimals = number < 10 ? 2 : number < 100 ? 1 : 0;
    return absl::StrFormat("%.*f %s", decimals, number, unit);
  };
  if (value < 1e6) return digits(value / 1e3, "us");
  if (value < 1e9) return digits(value / 1e6, "ms");
  return digits(value / 1e9, "s");
}

// The operations that were called, and all of them together if they are several.
std::vector<std::pair<std::string, const OperationResult*>> RowsOf(const LoadResult& result) {
  std::vector<std::pair<std::string, const OperationResult*>> rows;
  for (size_t i = 0; i < kBenchOperations; ++i) {
    if (result.operations[i].calls() > 0)
      rows.emplace_back(NameOf(static_cast<BenchOperation>(i)), &result.operations[i]);
  }
  if (rows.size() != 1) rows.emplace_back("all", &result.all);
  return rows;
}

std::string LoopText(const LoadOptions& options) {
  if (options.rate_per_s.has_value())
    return absl::StrFormat("an open loop of %.0f calls a second", *options.rate_per_s);
  return absl::StrCat("a closed loop of ", options.concurrency, " calls");
}

void PrintErrors(std::ostream& out, std::string_view what, const ErrorCounts& errors) {
  for (const auto& [error, count] : errors)
    out << WithThousands(count) << " of " << what << " failed: " << Printable(error) << '\n';
}

void PrintTable(std::ostream& out, const std::string& server, const LoadOptions& options,
                const LoadResult& result) {
  out << absl::StrFormat(
      "%s for %.2f s on %s, after %.2f s of warm-up; %d channels, %d threads\n\n",
      LoopText(options), absl::ToDoubleSeconds(result.elapsed), server,
      absl::ToDoubleSeconds(options.warmup), options.channels, options.threads);
  Table table({{"OPERATION", Align::kLeft},
               {"CALLS", Align::kRight},
               {"CALLS/S", Align::kRight},
               {"USERS/S", Align::kRight},
               {"FAILED", Align::kRight},
               {"P50", Align::kRight},
               {"P90", Align::kRight},
               {"P99", Align::kRight},
               {"P99.9", Align::kRight},
               {"MAX", Align::kRight}});
  for (const auto& [name, operation] : RowsOf(result)) {
    const LatencyHistogram& latency = operation->latency;
    const auto per_second = [&](int64_t count) {
      return WithThousands(static_cast<int64_t>(PerSecond(count, result.elapsed)));
    };
    table.AddRow({name, WithThousands(operation->calls()), per_second(operation->calls()),
                  per_second(operation->rows), WithThousands(operation->failed),
                  LatencyText(latency.ValueAt(50)), LatencyText(latency.ValueAt(90)),
                  LatencyText(latency.ValueAt(99)), LatencyText(latency.ValueAt(99.9)),
                  LatencyText(latency.max_ns())});
  }
  table.Print(out);
  out << '\n';
  for (const auto& [name, operation] : RowsOf(result)) {
    if (name != "all") PrintErrors(out, name, operation->errors);
  }
  if (result.unsent > 0)
    out << WithThousands(result.unsent) << " calls were due and could not be sent in time\n";
  if (options.watchers > 0) {
    out << WithThousands(options.watchers) << " watchers read "
        << WithThousands(result.watch_changes) << " changes in "
        << WithThousands(result.watch_messages) << " messages\n";
    PrintErrors(out, "the watchers", result.watch_errors);
  }
  if (result.server_cpu.has_value()) {
    out << absl::StrFormat("The server took %.2f us of processor time a call.\n",
                           MicrosecondsEach(*result.server_cpu, result.all.calls()));
  }
  out << absl::StrFormat("This program took %.2f us a call, %.0f %% of a processor.\n",
                         MicrosecondsEach(result.load_cpu, result.all.calls()),
                         100 * absl::FDivDuration(result.load_cpu, result.elapsed));
}

std::string ErrorsJson(const ErrorCounts& errors) {
  std::string json;
  for (const auto& [error, count] : errors)
    absl::StrAppend(&json, json.empty() ? "" : ", ", JsonText(error), ": ", count);
  return absl::StrCat("{", json, "}");
}

double Us(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

std::string LatencyJson(const LatencyHistogram& latency) {
  std::string json = absl::StrFormat(R"({"min": %.3f, "mean": %.3f, )", Us(latency.min_ns()),
                                     latency.mean_ns() / 1e3);
  for (const double percentile : kPercentiles)
    absl::StrAppendFormat(&json, R"("p%g": %.3f, )", percentile, Us(latency.ValueAt(percentile)));
  absl::StrAppendFormat(&json, R"("max": %.3f})", Us(latency.max_ns()));
  return json;
}

std::string OperationJson(const std::string& name, const OperationResult& operation,
                          absl::Duration elapsed) {
  std::string distribution;
  for (const LatencyHistogram::Point& point : operation.latency.Distribution()) {
    absl::StrAppendFormat(&distribution, "%s[%.6f, %.3f]", distribution.empty() ? "" : ", ",
                          point.percentile, Us(point.value_ns));
  }
  return absl::StrCat(
      "{\"operation\": ", JsonText(name), ", \"calls\": ", operation.calls(),
      ", \"failed\": ", operation.failed, ", \"users\": ", operation.rows,
      absl::StrFormat(R"(, "calls_per_s": %.3f, "users_per_s": %.3f)",
                      PerSecond(operation.calls(), elapsed), PerSecond(operation.rows, elapsed)),
      ",\n   \"errors\": ", ErrorsJson(operation.errors),
      ",\n   \"latency_us\": ", LatencyJson(operation.latency), ",\n   \"distribution\": [",
      distribution, "]}");
}

void PrintJson(std::ostream& out, const std::string& server, const LoadOptions& options,
               const LoadResult& result) {
  out << "{\n \"server\": " << JsonText(server)
      << (options.rate_per_s.has_value()
              ? absl::StrFormat(",\n \"loop\": \"open\", \"rate_per_s\": %g", *options.rate_per_s)
              : ",\n \"loop\": \"closed\"")
      << ", \"concurrency\": " << options.concurrency << ", \"channels\": " << options.channels
      << ", \"threads\": " << options.threads
      << absl::StrFormat(",\n \"warmup_s\": %.3f, \"elapsed_s\": %.6f, \"unsent\": %d",
                         absl::ToDoubleSeconds(options.warmup),
                         absl::ToDoubleSeconds(result.elapsed), result.unsent);
  out << absl::StrFormat(",\n \"load_cpu_us\": %.3f", absl::ToDoubleMicroseconds(result.load_cpu));
  if (result.server_cpu.has_value()) {
    out << absl::StrFormat(R"(, "server_cpu_us": %.3f, "server_cpu_us_per_call": %.4f)",
                           absl::ToDoubleMicroseconds(*result.server_cpu),
                           MicrosecondsEach(*result.server_cpu, result.all.calls()));
  }
  out << ",\n \"watch\": {\"watchers\": " << options.watchers
      << ", \"messages\": " << result.watch_messages << ", \"changes\": " << result.watch_changes
      << ", \"errors\": " << ErrorsJson(result.watch_errors) << "}";
  out << ",\n \"operations\": [";
  std::string_view separator = "\n  ";
  for (size_t i = 0; i < kBenchOperations; ++i) {
    if (result.operations[i].calls() == 0) continue;
    const std::string name(NameOf(static_cast<BenchOperation>(i)));
    out << std::exchange(separator, ",\n  ")
        << OperationJson(name, result.operations[i], result.elapsed);
  }
  out << "\n ],\n \"all\":\n  " << OperationJson("all", result.all, result.elapsed) << "\n}\n";
}

void PrintCsv(std::ostream& out, const LoadResult& result) {
  WriteCsvRow(out, {"operation", "calls", "failed", "users", "calls_per_s", "users_per_s", "p50_us",
                    "p90_us", "p99_us", "p99.9_us", "max_us"});
  for (const auto& [name, operation] : RowsOf(result)) {
    const LatencyHistogram& latency = operation->latency;
    const auto us = [](int64_t value) { return absl::StrFormat("%.3f", Us(value)); };
    WriteCsvRow(out, {name, absl::StrCat(operation->calls()), absl::StrCat(operation->failed),
                      absl::StrCat(operation->rows),
                      absl::StrFormat("%.3f", PerSecond(operation->calls(), result.elapsed)),
                      absl::StrFormat("%.3f", PerSecond(operation->rows, result.elapsed)),
                      us(latency.ValueAt(50)), us(latency.ValueAt(90)), us(latency.ValueAt(99)),
                      us(latency.ValueAt(99.9)), us(latency.max_ns())});
  }
}

}  // namespace

void PrintBenchReport(std::ostream& out, OutputFormat format, const std::string& server,
                      const LoadOptions& options, const LoadResult& result) {
  switch (format) {
    case OutputFormat::kTable:
      return PrintTable(out, server, options, result);
    case OutputFormat::kJson:
      return PrintJson(out, server, options, result);
    case OutputFormat::kCsv:
      return PrintCsv(out, result);
  }
}

int64_t FailuresIn(const LoadResult& result) {
  int64_t failures = result.all.failed;
  for (const auto& [error, count] : result.watch_errors) failures += count;
  return failures;
}

}  // namespace userservice::cli
