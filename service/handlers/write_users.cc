#include <string>
#include <utility>

#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"
#include "service/handlers/user_values.h"

namespace userservice::handlers {
namespace {

// Which fields an update writes (AIP-134).
absl::Status ReadMask(const users::v1::UpdateUserRequest& request, store::UserUpdate& update) {
  // Clients of some languages always send the message.
  if (request.update_mask().paths().empty()) {
    update.set_name = !request.user().name().empty();
    update.set_email = !request.user().email().empty();
    update.set_age = request.user().has_age();
    return absl::OkStatus();
  }
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "*" && request.update_mask().paths_size() == 1) {
      update.set_name = update.set_email = update.set_age = true;
    } else if (path == "name") {
      update.set_name = true;
    } else if (path == "email") {
      update.set_email = true;
    } else if (path == "age") {
      update.set_age = true;
    } else if (path != "user_id" && path != "create_time" && path != "update_time" &&
               path != "etag") {
      return errors::UpdateMaskInvalid(path);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<store::UserUpdate> UpdateOf(const users::v1::UpdateUserRequest& request) {
  store::UserUpdate update;
  const absl::Status mask = ReadMask(request, update);
  if (!mask.ok()) return mask;
  const User& user = request.user();
  update.values.set_user_id(user.user_id());
  update.values.set_etag(user.etag());
  UserValues values;
  if (update.set_name) update.values.set_name(values.Name("user.name", user.name()));
  if (update.set_email) update.values.set_email(values.Email("user.email", user.email()));
  if (update.set_age && user.has_age()) update.values.set_age(values.Age("user.age", user.age()));
  const absl::Status valid = values.status();
  if (!valid.ok()) return valid;
  return update;
}

}  // namespace

Task<absl::StatusOr<User>> CreateUser(rpc::Call& call, const users::v1::CreateUserRequest& request,
                                      store::UserStore& store) {
  UserValues values;
  User user;
  user.set_name(values.Name("user.name", request.user().name()));
  user.set_email(values.Email("user.email", request.user().email()));
  if (request.user().has_age()) user.set_age(values.Age("user.age", request.user().age()));
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  users::v1::CreateUserRequest payload;
  *payload.mutable_user() = user;
  payload.set_validate_only(request.validate_only());
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("CreateUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  co_return co_await store.CreateUser(*context, user, *options);
}

Task<absl::StatusOr<User>> UpdateUser(rpc::Call& call, const users::v1::UpdateUserRequest& request,
                                      store::UserStore& store) {
  const absl::StatusOr<store::UserUpdate> update = UpdateOf(request);
  if (!update.ok()) co_return update.status();
  users::v1::UpdateUserRequest payload = request;
  payload.clear_request_id();
  ClearOutputOnly(*payload.mutable_user());
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("UpdateUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  co_return co_await store.UpdateUser(*context, *update, *options);
}

Task<absl::StatusOr<google::protobuf::Empty>> DeleteUser(
    rpc::Call& call, const users::v1::DeleteUserRequest& request, store::UserStore& store) {
  users::v1::DeleteUserRequest payload = request;
  payload.clear_request_id();
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("DeleteUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  const absl::Status deleted = co_await store.DeleteUser(
      *context, request.user_id(), request.etag(), request.allow_missing(), *options);
  if (!deleted.ok()) co_return deleted;
  co_return google::protobuf::Empty();
}

}  // namespace userservice::handlers
