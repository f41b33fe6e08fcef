#include "client/cli/single_user.h"

#include <iostream>
#include <utility>

namespace userservice::cli {

Task<absl::Status> PrintUserOf(Task<absl::StatusOr<users::v1::User>> call, OutputFormat format) {
  const absl::StatusOr<users::v1::User> user = co_await std::move(call);
  if (!user.ok()) co_return user.status();
  PrintUser(std::cout, format, *user);
  co_return absl::OkStatus();
}

}  // namespace userservice::cli
