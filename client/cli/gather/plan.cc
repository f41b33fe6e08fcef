#include "client/cli/gather/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"

namespace userservice::cli {
namespace {

using users::v1::CountUsersRequest;
using users::v1::CountUsersResponse;
using users::v1::ListUsersRequest;
using users::v1::ListUsersResponse;
using users::v1::User;

constexpr int kAgeMax = 150;

template <class Response>
Task<absl::StatusOr<Answer>> AsAnswer(Task<absl::StatusOr<Response>> call) {
  absl::StatusOr<Response> response = co_await std::move(call);
  if (!response.ok()) co_return response.status();
  co_return Answer(*std::move(response));
}

PlannedCall List(std::string label, const std::string& filter) {
  ListUsersRequest request;
  request.set_page_size(kPageSize);
  request.set_filter(filter);
  return {Kind::kList, std::move(label), [request](UserClient& client, const CallOptions& options) {
            return AsAnswer(client.ListUsers(request, options));
          }};
}

PlannedCall Count(int from, int to) {
  CountUsersRequest request;
  request.set_filter(absl::StrCat("age >= ", from, " AND age <= ", to));
  return {Kind::kCount, request.filter(),
          [request](UserClient& client, const CallOptions& options) {
            return AsAnswer(client.CountUsers(request, options));
          }};
}

PlannedCall Get(int64_t user_id) {
  return {Kind::kGet, absl::StrCat("user ", user_id),
          [user_id](UserClient& client, const CallOptions& options) {
            return AsAnswer(client.GetUser(user_id, options));
          }};
}

}  // namespace

std::vector<PlannedCall> MakePlan(const std::vector<int64_t>& user_ids) {
  std::vector<PlannedCall> plan;
  plan.push_back(List("all users", ""));
  plan.push_back(List("age > 25", "age > 25"));
  plan.push_back(List("age > 40", "age > 40"));
  for (int decade = 0; decade < 100; decade += 10) plan.push_back(Count(decade, decade + 9));
  plan.push_back(Count(100, kAgeMax));
  for (const int64_t user_id : user_ids) plan.push_back(Get(user_id));
  return plan;
}

bool SameAnswer(const Answer& a, const Answer& b) {
  using google::protobuf::util::MessageDifferencer;
  if (a.index() != b.index()) return false;
  if (const auto* user = std::get_if<User>(&a))
    return MessageDifferencer::Equals(*user, std::get<User>(b));
  if (const auto* count = std::get_if<CountUsersResponse>(&a)) {
    return count->count() == std::get<CountUsersResponse>(b).count();
  }
  const auto& users = std::get<ListUsersResponse>(a).users();
  const auto& others = std::get<ListUsersResponse>(b).users();
  return std::equal(users.begin(), users.end(), others.begin(), others.end(),
                    [](const User& x, const User& y) { return MessageDifferencer::Equals(x, y); });
}

}  // namespace userservice::cli
