#include "client/cli/export/exporter.h"

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "async/block_on.h"

namespace userservice::cli {
namespace {

using users::v1::ExportUsersRequest;

// Attempts after one another that bring nothing before the export is given up: about 6 s.
constexpr int kAttemptsInVainMax = 6;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);

absl::Status ExportOnce(UserClient& client, ExportUsersRequest& request, const ExportSink& sink,
                        const std::stop_token& stop) {
  ExportStream chunks = client.ExportUsers(request);
  for (;;) {
    const auto chunk = BlockOn(chunks.Next(), stop);
    if (!chunk.ok()) return chunk.status();
    if (!chunk->has_value()) return absl::OkStatus();
    if (const absl::Status taken = sink.take(**chunk); !taken.ok()) return taken;
    request.set_resume_token((*chunk)->resume_token());
  }
}

// False if it was stopped before that.
bool Pause(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

absl::Status ExportAll(UserClient& client, ExportUsersRequest& request, const ExportSink& sink,
                       const std::stop_token& stop) {
  const std::string beginning = request.resume_token();
  for (int in_vain = 0;;) {
    const std::string before = request.resume_token();
    absl::Status status = ExportOnce(client, request, sink, stop);
    // A chunk without users is progress too: so far nobody matched.
    in_vain = request.resume_token() != before ? 0 : in_vain + 1;
    // With nothing done yet there is nothing to lose by giving up: the server is not there.
    const bool give_up = in_vain == kAttemptsInVainMax || request.resume_token() == beginning;
    if (status.code() != absl::StatusCode::kUnavailable || give_up) return status;
    if (in_vain == 0) sink.broken();
    if (!Pause(kFirstPause * (1 << in_vain), stop)) return status;
  }
}

}  // namespace userservice::cli
