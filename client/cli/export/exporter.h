// ExportAll: every chunk of an export, over as many connections as it takes.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "client/user_client.h"

namespace userservice::cli {

struct ExportSink {
  // Takes one chunk, before the next is asked for. An error ends the export with it.
  std::function<absl::Status(const users::v1::ExportUsersResponse& chunk)> take;
  // Tells that the connection broke and that it goes on.
  std::function<void()> broken;
};

// `request` holds the token of the last chunk that was taken. Runs on the calling thread, on which
// `sink` is called.
absl::Status ExportAll(UserClient& client, users::v1::ExportUsersRequest& request,
                       const ExportSink& sink, const std::stop_token& stop);

}  // namespace userservice::cli
