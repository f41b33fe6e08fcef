// Errors: AIP-193, and what users.v1 adds.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::CreateUserRequest;
using users::v1::User;

constexpr char kNotFound[] = "NOT_FOUND / USER_NOT_FOUND";
constexpr char kTaken[] = "ALREADY_EXISTS / EMAIL_TAKEN";

// The number of a user that there was and is no more.
int64_t DeletedUser(Probe& probe) {
  const User user = probe.Create("Ann", "deleted");
  users::v1::DeleteUserRequest request;
  request.set_user_id(user.user_id());
  probe.Ok(&Stub::DeleteUser, request);
  return user.user_id();
}

void ExpectNamed(Probe& probe, const RpcError& error, const std::string& key,
                 const std::string& name) {
  probe.Equal("the type in ResourceInfo", error.resource().resource_type(), "users.v1.User");
  probe.Equal("the name in ResourceInfo", error.resource().resource_name(), name);
  probe.Equal("the metadata", error.metadata(key), name);
}

void MissingByNumber(Probe& probe) {
  const int64_t gone = DeletedUser(probe);
  users::v1::GetUserRequest get;
  get.set_user_id(gone);
  ExpectNamed(probe, probe.Refused(&Stub::GetUser, get, kNotFound), "user_id", absl::StrCat(gone));
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(gone);
  ExpectNamed(probe, probe.Refused(&Stub::DeleteUser, remove, kNotFound), "user_id",
              absl::StrCat(gone));
}

void NumbersOfNobody(Probe& probe) {
  for (const int64_t user_id : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX}) {
    users::v1::GetUserRequest request;
    request.set_user_id(user_id);
    probe.Refused(&Stub::GetUser, request, kNotFound, absl::StrCat(" ", user_id));
  }
}

void MissingByAddress(Probe& probe) {
  users::v1::LookupUserRequest request;
  request.set_email("nobody@" + probe.domain());
  ExpectNamed(probe, probe.Refused(&Stub::LookupUser, request, kNotFound), "email",
              request.email());
}

void LookupOfNothing(Probe& probe) {
  const RpcError error = probe.Refused(&Stub::LookupUser, users::v1::LookupUserRequest(),
                                       "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(), {"email"});
}

void AllowMissing(Probe& probe) {
  users::v1::DeleteUserRequest request;
  request.set_user_id(DeletedUser(probe));
  request.set_allow_missing(true);
  probe.Ok(&Stub::DeleteUser, request);
}

void TakenAddress(Probe& probe) {
  const User ann = probe.Create("Secretname", "ann");
  const User bob = probe.Create("Bob", "bob");
  CreateUserRequest create;
  create.mutable_user()->set_name("Carl");
  create.mutable_user()->set_email(ann.email());
  const RpcError error = probe.Refused(&Stub::CreateUser, create, kTaken);
  ExpectNamed(probe, error, "email", ann.email());
  probe.True("the message keeps the other's name to itself",
             !absl::StrContains(error.message(), "Secretname"));
  users::v1::UpdateUserRequest update;
  update.mutable_user()->set_user_id(bob.user_id());
  update.mutable_user()->set_email(ann.email());
  ExpectNamed(probe, probe.Refused(&Stub::UpdateUser, update, kTaken), "email", ann.email());
}

// One error of each method, so that each way to an error is seen.
std::vector<RpcError> SeveralErrors(Probe& probe) {
  std::vector<RpcError> errors;
  const auto add = [&](auto method, const auto& request, auto response) {
    errors.emplace_back(probe.Try(method, request, &response));
  };
  const int64_t gone = DeletedUser(probe);
  users::v1::GetUserRequest get;
  get.set_user_id(gone);
  add(&Stub::GetUser, get, User());
  add(&Stub::LookupUser, users::v1::LookupUserRequest(), User());
  users::v1::ListUsersRequest list;
  list.set_page_token("x");
  add(&Stub::ListUsers, list, users::v1::ListUsersResponse());
  users::v1::CountUsersRequest count;
  count.set_filter("age >");
  add(&Stub::CountUsers, count, users::v1::CountUsersResponse());
  users::v1::BatchGetUsersRequest batch;
  batch.add_user_ids(gone);
  add(&Stub::BatchGetUsers, batch, users::v1::BatchGetUsersResponse());
  add(&Stub::CreateUser, CreateUserRequest(), User());
  users::v1::UpdateUserRequest update;
  update.mutable_update_mask()->add_paths("shoe_size");
  add(&Stub::UpdateUser, update, User());
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(gone);
  add(&Stub::DeleteUser, remove, google::protobuf::Empty());
  return errors;
}

void WellFormed(Probe& probe) {
  for (const RpcError& error : SeveralErrors(probe)) {
    if (error.outcome() == "OK") {
      probe.Note("a call that must fail", "an error", "OK");
    } else {
      probe.Equal("what is wrong with " + error.outcome(), error.Malformation(), "");
    }
  }
}

void TwentyViolations(Probe& probe) {
  users::v1::BatchCreateUsersRequest request;
  for (int i = 0; i < 25; ++i) {
    User* const user = request.add_requests()->mutable_user();
    user->set_name(" ");
    user->set_email(probe.Email(absl::StrCat("u", i)));
  }
  const RpcError error =
      probe.Refused(&Stub::BatchCreateUsers, request, "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("violations that are named", error.violations(), 20);
}

void LongInput(Probe& probe) {
  const std::string text(1500, 'x');
  users::v1::LookupUserRequest lookup;
  lookup.set_email(text);
  probe.Equal("what is wrong with the error of a long address",
              probe.Refused(&Stub::LookupUser, lookup, kNotFound).Malformation(), "");
  users::v1::CountUsersRequest count;
  count.set_filter(text);
  probe.Equal(
      "what is wrong with the error of a long filter",
      probe.Refused(&Stub::CountUsers, count, "INVALID_ARGUMENT / FILTER_INVALID").Malformation(),
      "");
}

}  // namespace

Group ErrorRules() {
  return {
      "errors",
      {
          {"a user who is not there is NOT_FOUND, and named", MissingByNumber},
          {"a number that nobody can have is NOT_FOUND", NumbersOfNobody},
          {"an address that nobody has is NOT_FOUND, and named", MissingByAddress},
          {"a look-up of no address is refused", LookupOfNothing},
          {"a deletion with allow_missing of nobody is a success", AllowMissing},
          {"an address that is taken is ALREADY_EXISTS, and its user not shown", TakenAddress},
          {"every error carries ErrorInfo and RequestInfo, each detail once, in 4 KiB", WellFormed},
          {"at most 20 violations are named", TwentyViolations},
          {"an error about long input stays within 4 KiB", LongInput},
      }};
}

}  // namespace userservice::cli::conformance
