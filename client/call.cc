#include "client/call.h"

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/server_timing.h"

namespace userservice::internal {

void Prepare(grpc::ClientContext& context, const CallOptions& options,
             absl::Duration default_deadline) {
  const absl::Duration deadline = options.deadline.value_or(default_deadline);
  if (deadline != absl::InfiniteDuration())
    context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  context.set_wait_for_ready(options.wait_for_ready);
  for (const auto& [key, value] : options.metadata) context.AddMetadata(key, value);
  if (options.observer) context.AddMetadata(kAskForServerTiming, "1");
}

void Observe(const CallOptions& options, std::string_view method, absl::Time start,
             const grpc::ClientContext& context, const absl::Status& status) {
  if (!options.observer) return;
  CallRecord record;
  record.method = method;
  record.start = start;
  record.end = absl::Now();
  record.status = status;
  const auto& trailers = context.GetServerTrailingMetadata();
  if (const auto timing = trailers.find(kServerTiming); timing != trailers.end()) {
    record.server_spans =
        ParseServerTiming(absl::string_view(timing->second.data(), timing->second.size()));
  }
  options.observer(record);
}

}  // namespace userservice::internal
