// Batches: all or none, under one revision.
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"
#include "client/request_id.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::BatchCreateUsersRequest;
using users::v1::BatchDeleteUsersRequest;
using users::v1::BatchGetUsersRequest;
using users::v1::BatchUpdateUsersRequest;
using users::v1::User;

constexpr int kTooMany = 1001;
constexpr char kTooLarge[] = "INVALID_ARGUMENT / BATCH_TOO_LARGE";

void Add(BatchCreateUsersRequest& batch, const std::string& name, const std::string& email) {
  User* const user = batch.add_requests()->mutable_user();
  user->set_name(name);
  user->set_email(email);
}

void Add(BatchUpdateUsersRequest& batch, const User& user, const std::string& name,
         const std::string& etag) {
  User* const changed = batch.add_requests()->mutable_user();
  changed->set_user_id(user.user_id());
  changed->set_name(name);
  changed->set_etag(etag);
}

void ExpectNobody(Probe& probe, const std::string& email) {
  users::v1::LookupUserRequest request;
  request.set_email(email);
  probe.Refused(&Stub::LookupUser, request, "NOT_FOUND / USER_NOT_FOUND", " of " + email);
}

void GetInOrder(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(3);
  if (users.size() != 3) return;
  BatchGetUsersRequest request;
  std::vector<int64_t> ids;
  for (const size_t i : {2, 0, 1, 0}) ids.push_back(users[i].user_id());
  for (const int64_t id : ids) request.add_user_ids(id);
  probe.Equal("the users answered", IdsIn(probe.Ok(&Stub::BatchGetUsers, request).users()), ids);
}

void GetOfOneMissing(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(2);
  if (users.size() != 2) return;
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(users[1].user_id());
  probe.Ok(&Stub::DeleteUser, remove);
  BatchGetUsersRequest request;
  for (const User& user : users) request.add_user_ids(user.user_id());
  const RpcError error = probe.Refused(&Stub::BatchGetUsers, request, "NOT_FOUND / USER_NOT_FOUND");
  probe.Equal("the user named", error.resource().resource_name(), absl::StrCat(users[1].user_id()));
}

void OneRevision(Probe& probe) {
  BatchCreateUsersRequest request;
  for (const std::string local : {"ann", "bob", "carl"}) Add(request, local, probe.Email(local));
  const auto response = probe.Ok(&Stub::BatchCreateUsers, request);
  const std::vector<User> users(response.users().begin(), response.users().end());
  probe.Equal("the users answered", NamesOf(users), {"ann", "bob", "carl"});
  for (const User& user : users) probe.Equal("the etag of each", user.etag(), users[0].etag());
}

void CreateAtomically(Probe& probe) {
  probe.Create("Ann", "ann");
  BatchCreateUsersRequest request;
  Add(request, "Bob", probe.Email("bob"));
  Add(request, "Other Ann", "ann@" + probe.domain());
  probe.Refused(&Stub::BatchCreateUsers, request, "ALREADY_EXISTS / EMAIL_TAKEN");
  ExpectNobody(probe, "bob@" + probe.domain());
}

void OneAddressTwice(Probe& probe) {
  BatchCreateUsersRequest request;
  Add(request, "Ann", probe.Email("ann"));
  Add(request, "Anna", "ANN@" + probe.domain());
  probe.Refused(&Stub::BatchCreateUsers, request, "ALREADY_EXISTS / EMAIL_TAKEN");
  ExpectNobody(probe, "ann@" + probe.domain());
}

void UpdateAtomically(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(2);
  if (users.size() != 2) return;
  BatchUpdateUsersRequest request;
  Add(request, users[0], "Changed", users[0].etag());
  Add(request, users[1], "Changed", "\"stale\"");
  probe.Refused(&Stub::BatchUpdateUsers, request, "ABORTED / ETAG_MISMATCH");
  probe.Equal("the first user's name", probe.Get(users[0].user_id()).name(), "User 1");
  request.mutable_requests(1)->mutable_user()->set_etag(users[1].etag());
  const auto response = probe.Ok(&Stub::BatchUpdateUsers, request);
  probe.Equal("the users answered", IdsIn(response.users()), IdsOf(users));
  probe.Equal("the second user's name", probe.Get(users[1].user_id()).name(), "Changed");
}

void DeleteAtomically(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(2);
  if (users.size() != 2) return;
  BatchDeleteUsersRequest request;
  for (const User& user : users) request.add_requests()->set_user_id(user.user_id());
  request.mutable_requests(1)->set_etag("\"stale\"");
  probe.Refused(&Stub::BatchDeleteUsers, request, "ABORTED / ETAG_MISMATCH");
  probe.Equal("who is there still", probe.Get(users[0].user_id()).name(), "User 1");
  request.mutable_requests(1)->clear_etag();
  probe.Ok(&Stub::BatchDeleteUsers, request);
  for (const User& user : users) ExpectNobody(probe, user.email());
}

void ExpectTooLarge(Probe& probe, const RpcError& error, const std::string& field) {
  probe.Equal("the fields named", error.fields(), {field});
  probe.Equal("the limit in the metadata", error.metadata("limit"), "1000");
}

void TooManyRequests(Probe& probe) {
  BatchGetUsersRequest get;
  BatchCreateUsersRequest create;
  BatchUpdateUsersRequest update;
  BatchDeleteUsersRequest remove;
  const std::string email = probe.Email("ann");
  for (int i = 0; i < kTooMany; ++i) {
    get.add_user_ids(1);
    Add(create, "Ann", email);  // one address, so that a server without the limit stores nobody
    update.add_requests()->mutable_user()->set_name("Ann");  // of nobody: their number is 0
    remove.add_requests();
  }
  ExpectTooLarge(probe, probe.Refused(&Stub::BatchGetUsers, get, kTooLarge), "user_ids");
  ExpectTooLarge(probe, probe.Refused(&Stub::BatchCreateUsers, create, kTooLarge), "requests");
  ExpectTooLarge(probe, probe.Refused(&Stub::BatchUpdateUsers, update, kTooLarge), "requests");
  ExpectTooLarge(probe, probe.Refused(&Stub::BatchDeleteUsers, remove, kTooLarge), "requests");
}

void PathsNameTheItem(Probe& probe) {
  BatchCreateUsersRequest request;
  Add(request, "Ann", probe.Email("ann"));
  Add(request, " ", "nobody-" + probe.domain());
  const RpcError error =
      probe.Refused(&Stub::BatchCreateUsers, request, "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(),
              {"requests[1].user.name", "requests[1].user.email"});
}

void ItemsHaveNoIdOfTheirOwn(Probe& probe) {
  BatchCreateUsersRequest request;
  Add(request, "Ann", probe.Email("ann"));
  request.mutable_requests(0)->set_request_id(NewRequestId());
  const RpcError error =
      probe.Refused(&Stub::BatchCreateUsers, request, "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(), {"requests[0].request_id"});
}

}  // namespace

Group BatchRules() {
  return {"batches",
          {
              {"a batch of reads answers in the order of the request", GetInOrder},
              {"one missing user fails a batch of reads, and is named", GetOfOneMissing},
              {"a batch of creates answers in order, under one revision", OneRevision},
              {"a batch of creates stores all or none", CreateAtomically},
              {"one address twice in a batch is refused", OneAddressTwice},
              {"a batch of updates changes all or none", UpdateAtomically},
              {"a batch of deletions deletes all or none", DeleteAtomically},
              {"a batch has at most 1,000 requests", TooManyRequests},
              {"the field paths of a batch name the request at fault", PathsNameTheItem},
              {"a request within a batch has no request_id of its own", ItemsHaveNoIdOfTheirOwn},
          }};
}

}  // namespace userservice::cli::conformance
