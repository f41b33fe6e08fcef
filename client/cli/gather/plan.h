// The independent RPCs that `userctl gather` makes twice, and what they answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "client/user_client.h"

namespace userservice::cli {

enum class Kind { kList, kCount, kGet };

using Answer =
    std::variant<users::v1::User, users::v1::ListUsersResponse, users::v1::CountUsersResponse>;

struct PlannedCall {
  Kind kind = Kind::kList;
  std::string label;  // "age > 25", "user 17"
  std::function<Task<absl::StatusOr<Answer>>(UserClient& client, const CallOptions& options)> call;
};

// The largest page there is.
constexpr int kPageSize = 1000;

// The first page of all users, of those older than 25 and than 40, a count for each decade of age,
// and a read of each of `user_ids`.
std::vector<PlannedCall> MakePlan(const std::vector<int64_t>& user_ids);

// The same users and counts. The revision and the token of a page may differ: another client may
// have written meanwhile.
bool SameAnswer(const Answer& a, const Answer& b);

}  // namespace userservice::cli
