#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"
#include "service/handlers/user_values.h"

namespace userservice::handlers {
namespace {

// Where a field stands in its request: "user.name", or "requests[3].user.name" in a batch.
std::string PathOf(std::string_view item, std::string_view field) {
  return absl::StrCat(errors::AbslView(item), errors::AbslView(field));
}

std::string ItemPath(int index) { return absl::StrCat("requests[", index, "]."); }

// Which fields an update writes (AIP-134).
absl::Status ReadMask(const users::v1::UpdateUserRequest& request, std::string_view item,
                      store::UserUpdate& update) {
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
      return errors::UpdateMaskInvalid(PathOf(item, "update_mask"), path);
    }
  }
  return absl::OkStatus();
}

// UPDATE_MASK_INVALID; other faults are noted in `values`.
absl::StatusOr<store::UserUpdate> UpdateOf(const users::v1::UpdateUserRequest& request,
                                           std::string_view item, UserValues& values) {
  store::UserUpdate update;
  const absl::Status mask = ReadMask(request, item, update);
  if (!mask.ok()) return mask;
  const User& user = request.user();
  update.values.set_user_id(user.user_id());
  update.values.set_etag(user.etag());
  if (update.set_name) update.values.set_name(values.Name(PathOf(item, "user.name"), user.name()));
  if (update.set_email)
    update.values.set_email(values.Email(PathOf(item, "user.email"), user.email()));
  if (update.set_age && user.has_age())
    update.values.set_age(values.Age(PathOf(item, "user.age"), user.age()));
  return update;
}

template <class Requests>
absl::Status CheckSize(const Requests& requests) {
  if (requests.size() <= kBatchMax) return absl::OkStatus();
  return errors::BatchTooLarge("requests", static_cast<size_t>(requests.size()), kBatchMax);
}

// A batch is done, or only checked, as a whole.
template <class Request>
void CheckItem(const Request& request, std::string_view item, UserValues& values) {
  if (!request.request_id().empty())
    values.Note(PathOf(item, "request_id"), "must be empty: the batch as a whole has one");
  if (request.validate_only())
    values.Note(PathOf(item, "validate_only"), "must be false: the batch as a whole has one");
}

// The answer of a call that writes one user.
absl::StatusOr<User> OnlyOf(absl::StatusOr<std::vector<User>> users) {
  if (!users.ok()) return users.status();
  if (users->size() != 1)
    return errors::Internal("a write of one user answered with another number");
  return std::move(users->front());
}

template <class Response>
absl::StatusOr<Response> ResponseOf(absl::StatusOr<std::vector<User>> users) {
  if (!users.ok()) return users.status();
  Response response;
  response.mutable_users()->Reserve(static_cast<int>(users->size()));
  for (User& user : *users) *response.add_users() = std::move(user);
  return response;
}

// What two requests of the same meaning have in common, as bytes.
template <class Request>
std::string BytesWithoutRequestId(Request request) {
  request.clear_request_id();
  return request.SerializeAsString();
}

absl::StatusOr<google::protobuf::Empty> EmptyOf(const absl::Status& status) {
  if (!status.ok()) return status;
  return google::protobuf::Empty();
}

}  // namespace

Task<absl::StatusOr<User>> CreateUser(rpc::Call& call, const users::v1::CreateUserRequest& request,
                                      store::UserStore& store) {
  UserValues values;
  const std::vector<User> users = {NewUserOf(request.user(), "", values)};
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  const auto payload = [&] {
    users::v1::CreateUserRequest repeated;
    *repeated.mutable_user() = users.front();
    repeated.set_validate_only(request.validate_only());
    return repeated.SerializeAsString();
  };
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("CreateUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  absl::StatusOr<std::vector<User>> created = co_await store.CreateUsers(*context, users, *options);
  co_return OnlyOf(std::move(created));
}

Task<absl::StatusOr<User>> UpdateUser(rpc::Call& call, const users::v1::UpdateUserRequest& request,
                                      store::UserStore& store) {
  UserValues values;
  absl::StatusOr<store::UserUpdate> update = UpdateOf(request, "", values);
  if (!update.ok()) co_return update.status();
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  const auto payload = [&] {
    users::v1::UpdateUserRequest repeated = request;
    repeated.clear_request_id();
    ClearOutputOnly(*repeated.mutable_user());
    return repeated.SerializeAsString();
  };
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("UpdateUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const std::vector<store::UserUpdate> updates = {*std::move(update)};
  const TimedContext context(call);
  absl::StatusOr<std::vector<User>> updated =
      co_await store.UpdateUsers(*context, updates, *options);
  co_return OnlyOf(std::move(updated));
}

Task<absl::StatusOr<google::protobuf::Empty>> DeleteUser(
    rpc::Call& call, const users::v1::DeleteUserRequest& request, store::UserStore& store) {
  const auto payload = [&] { return BytesWithoutRequestId(request); };
  const absl::StatusOr<store::WriteOptions> options =
      WriteOptionsOf("DeleteUser", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const std::vector<store::UserRemoval> removals = {
      {request.user_id(), request.etag(), request.allow_missing()}};
  const TimedContext context(call);
  const absl::Status deleted = co_await store.DeleteUsers(*context, removals, *options);
  co_return EmptyOf(deleted);
}

Task<absl::StatusOr<users::v1::BatchCreateUsersResponse>> BatchCreateUsers(
    rpc::Call& call, const users::v1::BatchCreateUsersRequest& request, store::UserStore& store) {
  const absl::Status size = CheckSize(request.requests());
  if (!size.ok()) co_return size;
  UserValues values;
  std::vector<User> users;
  for (const users::v1::CreateUserRequest& one : request.requests()) {
    const std::string item = ItemPath(static_cast<int>(users.size()));
    CheckItem(one, item, values);
    users.push_back(NewUserOf(one.user(), item, values));
  }
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  const auto payload = [&] {
    users::v1::BatchCreateUsersRequest repeated;
    for (const User& user : users) *repeated.add_requests()->mutable_user() = user;
    repeated.set_validate_only(request.validate_only());
    return repeated.SerializeAsString();
  };
  const absl::StatusOr<store::WriteOptions> options = WriteOptionsOf(
      "BatchCreateUsers", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  absl::StatusOr<std::vector<User>> created = co_await store.CreateUsers(*context, users, *options);
  co_return ResponseOf<users::v1::BatchCreateUsersResponse>(std::move(created));
}

Task<absl::StatusOr<users::v1::BatchUpdateUsersResponse>> BatchUpdateUsers(
    rpc::Call& call, const users::v1::BatchUpdateUsersRequest& request, store::UserStore& store) {
  const absl::Status size = CheckSize(request.requests());
  if (!size.ok()) co_return size;
  UserValues values;
  std::vector<store::UserUpdate> updates;
  for (const users::v1::UpdateUserRequest& one : request.requests()) {
    const std::string item = ItemPath(static_cast<int>(updates.size()));
    CheckItem(one, item, values);
    absl::StatusOr<store::UserUpdate> update = UpdateOf(one, item, values);
    if (!update.ok()) co_return update.status();
    updates.push_back(*std::move(update));
  }
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  const auto payload = [&] {
    users::v1::BatchUpdateUsersRequest repeated = request;
    repeated.clear_request_id();
    for (users::v1::UpdateUserRequest& one : *repeated.mutable_requests())
      ClearOutputOnly(*one.mutable_user());
    return repeated.SerializeAsString();
  };
  const absl::StatusOr<store::WriteOptions> options = WriteOptionsOf(
      "BatchUpdateUsers", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  absl::StatusOr<std::vector<User>> updated =
      co_await store.UpdateUsers(*context, updates, *options);
  co_return ResponseOf<users::v1::BatchUpdateUsersResponse>(std::move(updated));
}

Task<absl::StatusOr<google::protobuf::Empty>> BatchDeleteUsers(
    rpc::Call& call, const users::v1::BatchDeleteUsersRequest& request, store::UserStore& store) {
  const absl::Status size = CheckSize(request.requests());
  if (!size.ok()) co_return size;
  UserValues values;
  std::vector<store::UserRemoval> removals;
  for (const users::v1::DeleteUserRequest& one : request.requests()) {
    CheckItem(one, ItemPath(static_cast<int>(removals.size())), values);
    removals.emplace_back(one.user_id(), one.etag(), one.allow_missing());
  }
  const absl::Status valid = values.status();
  if (!valid.ok()) co_return valid;
  const auto payload = [&] { return BytesWithoutRequestId(request); };
  const absl::StatusOr<store::WriteOptions> options = WriteOptionsOf(
      "BatchDeleteUsers", request.request_id(), request.validate_only(), payload, store);
  if (!options.ok()) co_return options.status();
  const TimedContext context(call);
  const absl::Status deleted = co_await store.DeleteUsers(*context, removals, *options);
  co_return EmptyOf(deleted);
}

}  // namespace userservice::handlers
