// Workload: what the calls of a load ask for. Read from the server once, before the load.
//
// Threads: any, once it is prepared.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/bench/mix.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::cli {

struct WorkloadOptions {
  WorkloadOptions() = default;

  int64_t users = 0;  // calls name users 1 to this one; 0: those that the server has
  int batch_size = 100;
  int page_size = 100;
  int64_t first_page = 1;  // a list is one page out of first_page to last_page
  int64_t last_page = 100;
  std::string filter;
  int import_users = 10'000;  // a call
};

struct Workload {
  explicit Workload(WorkloadOptions workload_options) : options(std::move(workload_options)) {}

  // One of the users that calls name, for an index below options.users.
  int64_t UserIdAt(int64_t index) const {
    return user_ids.empty() ? 1 + index : user_ids[static_cast<size_t>(index)];
  }

  WorkloadOptions options;
  std::vector<int64_t> user_ids;         // nothing: 1 to options.users
  std::vector<std::string> page_tokens;  // of the pages to list
  std::vector<std::string> emails;       // to look up
  uint64_t email_seed = 0;  // no two runs create the same users, but for odds of nothing
};

// Asks the server for what the mix needs. Errors: the server's; FAILED_PRECONDITION if it has too
// few users, or no such page.
absl::StatusOr<Workload> PrepareWorkload(users::v1::UserService::Stub& stub, const Mix& mix,
                                         const WorkloadOptions& options, absl::Duration timeout);

}  // namespace userservice::cli
