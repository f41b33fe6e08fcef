#include "client/cli/conformance/own_users.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rpc_error.h"
#include "google/protobuf/empty.pb.h"

namespace userservice::cli::conformance {

using users::v1::User;
using users::v1::UserService;

namespace {

constexpr size_t kTogetherMax = 1000;

template <class Request, class Response>
grpc::Status CallWithin(absl::Duration timeout, UserService::Stub& users,
                        grpc::Status (UserService::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                        const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
  return (users.*method)(&context, request, response);
}

}  // namespace

std::string OwnUsers::Adopt(const std::string& email) {
  adopted_.try_emplace(absl::AsciiStrToLower(email), 0);
  return email;
}

void OwnUsers::Know(const User& user) {
  if (IsOwn(user)) adopted_[absl::AsciiStrToLower(user.email())] = user.user_id();
}

bool OwnUsers::IsOwn(const User& user) const {
  return adopted_.count(absl::AsciiStrToLower(user.email())) != 0;
}

std::string OwnUsers::Filter() const {
  int64_t first = 0;
  int64_t last = 0;
  for (const auto& [email, user_id] : adopted_) {
    if (user_id == 0) continue;
    first = first == 0 ? user_id : std::min(first, user_id);
    last = std::max(last, user_id);
  }
  return absl::StrCat("user_id >= ", first, " AND user_id <= ", last, " AND email:\"", domain_,
                      "\"");
}

std::vector<int64_t> OwnUsers::Find(Stub& users, absl::Duration timeout,
                                    std::string& problem) const {
  std::set<int64_t> ids;
  for (const auto& [email, known] : adopted_) {
    if (known != 0) {
      ids.insert(known);
      continue;
    }
    users::v1::LookupUserRequest request;
    request.set_email(email);
    User user;
    const grpc::Status status = CallWithin(timeout, users, &Stub::LookupUser, request, &user);
    if (status.ok()) {
      ids.insert(user.user_id());
    } else if (status.error_code() != grpc::StatusCode::NOT_FOUND) {
      problem = absl::StrCat("LookupUser of ", email, ": ", RpcError(status).outcome());
    }
  }
  return {ids.begin(), ids.end()};
}

bool OwnUsers::RemoveTogether(Stub& users, absl::Duration timeout,
                              const std::vector<int64_t>& ids) const {
  for (size_t begin = 0; begin < ids.size(); begin += kTogetherMax) {
    const size_t end = std::min(begin + kTogetherMax, ids.size());
    users::v1::BatchGetUsersRequest read;
    users::v1::BatchDeleteUsersRequest remove;
    for (size_t i = begin; i < end; ++i) {
      read.add_user_ids(ids[i]);
      remove.add_requests()->set_user_id(ids[i]);
    }
    users::v1::BatchGetUsersResponse found;
    if (!CallWithin(timeout, users, &Stub::BatchGetUsers, read, &found).ok()) return false;
    const bool all_own = std::all_of(found.users().begin(), found.users().end(),
                                     [this](const User& user) { return IsOwn(user); });
    if (!all_own || found.users_size() != read.user_ids_size()) return false;
    google::protobuf::Empty empty;
    if (!CallWithin(timeout, users, &Stub::BatchDeleteUsers, remove, &empty).ok()) return false;
  }
  return true;
}

// False if it is there still.
bool OwnUsers::RemoveOne(Stub& users, absl::Duration timeout, int64_t user_id,
                         std::string& problem) const {
  users::v1::GetUserRequest get;
  get.set_user_id(user_id);
  User user;
  const grpc::Status found = CallWithin(timeout, users, &Stub::GetUser, get, &user);
  if (found.error_code() == grpc::StatusCode::NOT_FOUND) return true;
  if (!found.ok()) {
    problem = absl::StrCat("GetUser: ", RpcError(found).outcome());
    return false;
  }
  if (!IsOwn(user)) return true;  // not ours, whatever the server said before
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(user_id);
  remove.set_allow_missing(true);
  google::protobuf::Empty empty;
  const grpc::Status removed = CallWithin(timeout, users, &Stub::DeleteUser, remove, &empty);
  if (!removed.ok()) problem = absl::StrCat("DeleteUser: ", RpcError(removed).outcome());
  return removed.ok();
}

std::string OwnUsers::Remove(Stub& users, absl::Duration timeout) {
  std::string problem;
  const std::vector<int64_t> ids = Find(users, timeout, problem);
  int left = 0;
  if (!RemoveTogether(users, timeout, ids)) {
    for (const int64_t user_id : ids) left += RemoveOne(users, timeout, user_id, problem) ? 0 : 1;
  }
  if (problem.empty() && left == 0) return "";
  return absl::StrCat(left, " users with addresses at ", domain_, " may be left: ", problem);
}

}  // namespace userservice::cli::conformance
