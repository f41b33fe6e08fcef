#include "client/cli/conformance/probe.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace userservice::cli::conformance {

using users::v1::User;

namespace {

constexpr int kBatchMax = 1000;
// Pages that one rule reads: more than any rule has users.
constexpr int kPagesMax = 3000;

}  // namespace

CallScope::CallScope(absl::Duration timeout, const std::stop_token& stop)
    : cancel_on_stop_(stop, internal::TryCancel{&context_}) {
  context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
}

Probe::Probe(const Server& server, std::string domain, std::stop_token stop)
    : server_(server),
      stop_(std::move(stop)),
      stub_(users::v1::UserService::NewStub(server.channel)),
      users_(std::move(domain)) {}

std::string Probe::Email(const std::string& local) {
  return users_.Adopt(absl::StrCat(local, "@", users_.domain()));
}

User Probe::Create(const std::string& name, const std::string& local, std::optional<int> age) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name(name);
  request.mutable_user()->set_email(Email(local));
  if (age.has_value()) request.mutable_user()->set_age(*age);
  User user = Ok(&Stub::CreateUser, request);
  Know(user);
  return user;
}

std::vector<User> Probe::CreateMany(int count) {
  std::vector<User> users;
  for (int done = 0; done < count;) {
    users::v1::BatchCreateUsersRequest request;
    for (; done < count && request.requests_size() < kBatchMax; ++done) {
      User* const user = request.add_requests()->mutable_user();
      user->set_name(absl::StrCat("User ", done + 1));
      user->set_email(Email(absl::StrCat("user", done + 1)));
      user->set_age((done + 1) % 150);
    }
    const auto response = Ok(&Stub::BatchCreateUsers, request);
    for (const User& user : response.users()) {
      Know(user);
      users.push_back(user);
    }
  }
  return users;
}

std::string Probe::OwnWhere(const std::string& filter) const {
  return absl::StrCat(Own(), " AND (", filter, ")");
}

User Probe::Get(int64_t user_id) {
  users::v1::GetUserRequest request;
  request.set_user_id(user_id);
  return Ok(&Stub::GetUser, request);
}

int64_t Probe::RevisionOf(const User& user) {
  int64_t revision = 0;
  const std::string& etag = user.etag();
  if (etag.size() < 3 || !absl::SimpleAtoi(etag.substr(1, etag.size() - 2), &revision))
    Note("an etag", "a quoted revision", Shown(etag));
  return revision;
}

std::vector<User> Probe::ListAll(users::v1::ListUsersRequest request) {
  std::vector<User> users;
  for (int pages = 0; pages < kPagesMax; ++pages) {
    const auto page = Ok(&Stub::ListUsers, request);
    users.insert(users.end(), page.users().begin(), page.users().end());
    if (page.next_page_token().empty()) return users;
    request.set_page_token(page.next_page_token());
  }
  Note("the pages of a list", "an end",
       absl::StrCat("a next_page_token after ", kPagesMax, " pages"));
  return users;
}

void Probe::Note(const std::string& what, const std::string& expected, const std::string& came) {
  findings_.push_back({what, expected, came});
}

std::string Probe::RemoveUsers() { return users_.Remove(*stub_, server_.timeout); }

std::string Probe::Said(const RpcError& error) {
  if (error.message().empty()) return error.outcome();
  return absl::StrCat(error.outcome(), " ", Shown(error.message()));
}

std::vector<int64_t> IdsOf(const std::vector<User>& users) {
  std::vector<int64_t> ids;
  ids.reserve(users.size());
  for (const User& user : users) ids.push_back(user.user_id());
  return ids;
}

std::vector<std::string> NamesOf(const std::vector<User>& users) {
  std::vector<std::string> names;
  names.reserve(users.size());
  for (const User& user : users) names.push_back(user.name());
  return names;
}

}  // namespace userservice::cli::conformance
