// What the commands about one user share.
#pragma once

#include "async/task.h"
#include "client/cli/output.h"
#include "client/user_client.h"

namespace userservice::cli {

// Awaits the call and prints its user.
Task<absl::Status> PrintUserOf(Task<absl::StatusOr<users::v1::User>> call, OutputFormat format);

}  // namespace userservice::cli
