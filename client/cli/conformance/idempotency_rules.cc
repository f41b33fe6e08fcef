// request_id: AIP-155.
#include <future>

#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"
#include "client/request_id.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::CreateUserRequest;
using users::v1::DeleteUserRequest;
using users::v1::UpdateUserRequest;
using users::v1::User;

constexpr char kReused[] = "INVALID_ARGUMENT / REQUEST_ID_REUSED";

CreateUserRequest CreationOf(const std::string& email) {
  CreateUserRequest request;
  request.mutable_user()->set_name("Ann");
  request.mutable_user()->set_email(email);
  request.set_request_id(NewRequestId());
  return request;
}

void RepeatedCreate(Probe& probe) {
  const CreateUserRequest request = CreationOf(probe.Email("ann"));
  const User first = probe.Ok(&Stub::CreateUser, request);
  probe.Know(first);
  const User again = probe.Ok(&Stub::CreateUser, request);
  probe.Equal("what a repeat answers", again.ShortDebugString(), first.ShortDebugString());
  users::v1::CountUsersRequest count;
  count.set_filter(probe.Own());
  probe.Equal("users that there are", probe.Ok(&Stub::CountUsers, count).count(), 1);
}

void RepeatedUpdate(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 1);
  UpdateUserRequest request;
  request.mutable_user()->set_user_id(ann.user_id());
  request.mutable_user()->set_age(2);
  request.set_request_id(NewRequestId());
  const User first = probe.Ok(&Stub::UpdateUser, request);
  UpdateUserRequest other = request;
  other.clear_request_id();
  other.mutable_user()->set_age(3);
  probe.Ok(&Stub::UpdateUser, other);
  probe.Equal("the age that a repeat answers", probe.Ok(&Stub::UpdateUser, request).age(),
              first.age());
  probe.Equal("the age that is stored", probe.Get(ann.user_id()).age(), 3);
}

void RepeatedDelete(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  DeleteUserRequest request;
  request.set_user_id(ann.user_id());
  request.set_request_id(NewRequestId());
  probe.Ok(&Stub::DeleteUser, request);
  probe.Ok(&Stub::DeleteUser, request);
  request.set_request_id(NewRequestId());
  probe.Refused(&Stub::DeleteUser, request, "NOT_FOUND / USER_NOT_FOUND", " with another id");
}

void RepeatedBatch(Probe& probe) {
  users::v1::BatchCreateUsersRequest request;
  for (const std::string local : {"ann", "bob"})
    *request.add_requests()->mutable_user() = CreationOf(probe.Email(local)).user();
  request.set_request_id(NewRequestId());
  const auto first = probe.Ok(&Stub::BatchCreateUsers, request);
  const auto again = probe.Ok(&Stub::BatchCreateUsers, request);
  probe.Equal("the users that a repeat answers", IdsIn(again.users()), IdsIn(first.users()));
}

void AtOnce(Probe& probe) {
  constexpr int kCalls = 8;
  const CreateUserRequest request = CreationOf(probe.Email("ann"));
  std::vector<std::future<grpc::Status>> calls;
  std::vector<User> users(kCalls);
  for (User& user : users) {
    calls.push_back(std::async(std::launch::async, [&probe, &request, &user] {
      return probe.Try(&Stub::CreateUser, request, &user);
    }));
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    const RpcError error(calls[i].get());
    probe.Equal("the end of one call", error.outcome(), "OK");
    probe.Equal("the user that it answers", users[i].user_id(), users[0].user_id());
  }
}

void AnotherPayload(Probe& probe) {
  CreateUserRequest request = CreationOf(probe.Email("ann"));
  probe.Ok(&Stub::CreateUser, request);
  request.mutable_user()->set_name("Anna");
  const RpcError error = probe.Refused(&Stub::CreateUser, request, kReused);
  probe.Equal("the fields named", error.fields(), {"request_id"});
}

void AnotherMethod(Probe& probe) {
  const CreateUserRequest request = CreationOf(probe.Email("ann"));
  const User ann = probe.Ok(&Stub::CreateUser, request);
  DeleteUserRequest remove;
  remove.set_user_id(ann.user_id());
  remove.set_request_id(request.request_id());
  probe.Refused(&Stub::DeleteUser, remove, kReused);
}

void NoUuid4(Probe& probe) {
  CreateUserRequest request = CreationOf(probe.Email("ann"));
  for (const std::string id :
       {"1", "0f0e0d0c-0b0a-1908-8706-050403020100", "0f0e0d0c-0b0a-4908-c706-050403020100",
        "0f0e0d0c0b0a49088706050403020100", "0f0e0d0c-0b0a-4908-8706-05040302010g",
        "{0f0e0d0c-0b0a-4908-8706-050403020100}"}) {
    request.set_request_id(id);
    const RpcError error = probe.Refused(&Stub::CreateUser, request,
                                         "INVALID_ARGUMENT / REQUEST_ID_INVALID", " " + Shown(id));
    probe.Equal("the fields named", error.fields(), {"request_id"});
  }
}

void AFailureTakesNoId(Probe& probe) {
  const User bob = probe.Create("Bob", "ann");
  const CreateUserRequest request = CreationOf(bob.email());
  probe.Refused(&Stub::CreateUser, request, "ALREADY_EXISTS / EMAIL_TAKEN");
  DeleteUserRequest remove;
  remove.set_user_id(bob.user_id());
  probe.Ok(&Stub::DeleteUser, remove);
  const User ann = probe.Ok(&Stub::CreateUser, request);
  probe.Know(ann);
  probe.Equal("who is stored by a repeat", ann.name(), "Ann");
}

}  // namespace

Group IdempotencyRules() {
  return {
      "idempotency",
      {
          {"a repeated create answers with the first success and stores one user", RepeatedCreate},
          {"a repeated update answers with the first success and changes nothing", RepeatedUpdate},
          {"a repeated deletion is a success", RepeatedDelete},
          {"a repeated batch answers with the first success", RepeatedBatch},
          {"a request that is sent several times at once is done once", AtOnce},
          {"a request_id is refused with another payload", AnotherPayload},
          {"a request_id is refused with another method", AnotherMethod},
          {"a request_id that is no version 4 UUID is refused", NoUuid4},
          {"a write that failed does not take its request_id", AFailureTakesNoId},
      }};
}

}  // namespace userservice::cli::conformance
