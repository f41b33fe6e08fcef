#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"

namespace userservice::handlers {

Task<absl::StatusOr<rpc::Encoded<User>>> GetUser(rpc::Call& call,
                                                 const users::v1::GetUserRequest& request,
                                                 store::UserStore& store) {
  const TimedContext context(call, request.min_revision());
  absl::StatusOr<store::EncodedUser> user = co_await store.GetUser(*context, request.user_id());
  if (!user.ok()) co_return user.status();
  co_return rpc::Encoded<User>(std::move(user->bytes));
}

Task<absl::StatusOr<rpc::Encoded<User>>> LookupUser(rpc::Call& call,
                                                    const users::v1::LookupUserRequest& request,
                                                    store::UserStore& store) {
  // Any text may be looked for: a row that an older program wrote may hold an address that is no
  // address today.
  if (request.email().empty()) {
    const std::vector<errors::FieldViolation> missing = {{"email", "must not be empty"}};
    co_return errors::FieldsInvalid(missing);
  }
  const TimedContext context(call, request.min_revision());
  std::string email = absl::AsciiStrToLower(request.email());
  absl::StatusOr<store::EncodedUser> user = co_await store.LookupUser(*context, std::move(email));
  if (!user.ok()) co_return user.status();
  co_return rpc::Encoded<User>(std::move(user->bytes));
}

Task<absl::StatusOr<rpc::Encoded<users::v1::BatchGetUsersResponse>>> BatchGetUsers(
    rpc::Call& call, const users::v1::BatchGetUsersRequest& request, store::UserStore& store) {
  if (request.user_ids_size() > kBatchMax) {
    co_return errors::BatchTooLarge("user_ids", static_cast<size_t>(request.user_ids_size()),
                                    kBatchMax);
  }
  const TimedContext context(call, request.min_revision());
  std::vector<int64_t> user_ids(request.user_ids().begin(), request.user_ids().end());
  absl::StatusOr<store::EncodedUsers> users =
      co_await store.BatchGetUsers(*context, std::move(user_ids));
  if (!users.ok()) co_return users.status();
  co_return rpc::Encoded<users::v1::BatchGetUsersResponse>(std::move(users->bytes));
}

}  // namespace userservice::handlers
