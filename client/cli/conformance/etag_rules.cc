// Etags: a write that is only done to what the client has seen.
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::DeleteUserRequest;
using users::v1::UpdateUserRequest;
using users::v1::User;

constexpr char kMismatch[] = "ABORTED / ETAG_MISMATCH";

UpdateUserRequest AgeOf(const User& user, int age, const std::string& etag) {
  UpdateUserRequest request;
  request.mutable_user()->set_user_id(user.user_id());
  request.mutable_user()->set_age(age);
  request.mutable_user()->set_etag(etag);
  return request;
}

DeleteUserRequest DeletionOf(const User& user, const std::string& etag) {
  DeleteUserRequest request;
  request.set_user_id(user.user_id());
  request.set_etag(etag);
  return request;
}

void QuotedAndNew(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const std::string& etag = ann.etag();
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"')
    probe.Note("an etag", "a quoted string", Shown(etag));
  const User updated = probe.Ok(&Stub::UpdateUser, AgeOf(ann, 5, ""));
  probe.True("an update gives another", updated.etag() != etag);
  probe.Equal("what GetUser gives", probe.Get(ann.user_id()).etag(), updated.etag());
}

void CurrentEtag(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const User updated = probe.Ok(&Stub::UpdateUser, AgeOf(ann, 5, ann.etag()));
  probe.Equal("age", updated.age(), 5);
  probe.Ok(&Stub::DeleteUser, DeletionOf(ann, updated.etag()));
}

void StaleUpdate(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  probe.Ok(&Stub::UpdateUser, AgeOf(ann, 5, ""));
  const RpcError error = probe.Refused(&Stub::UpdateUser, AgeOf(ann, 6, ann.etag()), kMismatch);
  probe.Equal("the user named", error.resource().resource_name(), std::to_string(ann.user_id()));
  probe.Equal("the age that is stored", probe.Get(ann.user_id()).age(), 5);
}

void StaleDeletion(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  probe.Ok(&Stub::UpdateUser, AgeOf(ann, 5, ""));
  probe.Refused(&Stub::DeleteUser, DeletionOf(ann, ann.etag()), kMismatch);
  probe.Equal("who is there still", probe.Get(ann.user_id()).name(), "Ann");
}

void MadeUpEtag(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  for (const std::string etag : {"\"x\"", "x", "\"0\"", "\"99999999999999999999\""})
    probe.Refused(&Stub::UpdateUser, AgeOf(ann, 5, etag), kMismatch,
                  " with the etag " + Shown(etag));
}

void WithoutAnEtag(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  probe.Ok(&Stub::UpdateUser, AgeOf(ann, 5, ""));
  probe.Equal("age", probe.Ok(&Stub::UpdateUser, AgeOf(ann, 6, "")).age(), 6);
  probe.Ok(&Stub::DeleteUser, DeletionOf(ann, ""));
}

}  // namespace

Group EtagRules() {
  return {"etags",
          {
              {"an etag is a quoted string that changes with the user", QuotedAndNew},
              {"a write with the current etag is done", CurrentEtag},
              {"an update with a stale etag is refused and changes nothing", StaleUpdate},
              {"a deletion with a stale etag is refused", StaleDeletion},
              {"an etag that never was is refused", MadeUpEtag},
              {"a write without an etag is done to any state", WithoutAnEtag},
          }};
}

}  // namespace userservice::cli::conformance
