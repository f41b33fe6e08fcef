// UpdateUser's mask: AIP-134.
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::UpdateUserRequest;
using users::v1::User;

UpdateUserRequest UpdateOf(const User& user, const std::vector<std::string>& paths) {
  UpdateUserRequest request;
  request.mutable_user()->set_user_id(user.user_id());
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  return request;
}

std::string ValuesOf(const User& user) {
  return absl::StrCat(user.name(), ", ", user.email(), ", ",
                      user.has_age() ? absl::StrCat(user.age()) : "no age");
}

// What the service answers, and what it has stored.
void ExpectValues(Probe& probe, const UpdateUserRequest& request, const std::string& values) {
  const User updated = probe.Ok(&Stub::UpdateUser, request);
  probe.Equal("the answer", ValuesOf(updated), values);
  probe.Equal("what is stored", ValuesOf(probe.Get(request.user().user_id())), values);
}

void NamedFields(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  UpdateUserRequest request = UpdateOf(ann, {"name"});
  request.mutable_user()->set_name("Anna");
  request.mutable_user()->set_age(99);
  request.mutable_user()->set_email(probe.Email("other"));
  ExpectValues(probe, request, absl::StrCat("Anna, ", ann.email(), ", 20"));
}

void WithoutAMask(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  UpdateUserRequest request = UpdateOf(ann, {});
  request.mutable_user()->set_age(21);
  ExpectValues(probe, request, absl::StrCat("Ann, ", ann.email(), ", 21"));
}

void NamedAndNotSet(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  ExpectValues(probe, UpdateOf(ann, {"age"}), absl::StrCat("Ann, ", ann.email(), ", no age"));
  const RpcError error =
      probe.Refused(&Stub::UpdateUser, UpdateOf(ann, {"name"}), "INVALID_ARGUMENT / FIELD_INVALID",
                    " of the name to nothing");
  probe.Equal("the fields named", error.fields(), {"user.name"});
}

void Star(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  UpdateUserRequest request = UpdateOf(ann, {"*"});
  request.mutable_user()->set_name("Bob");
  request.mutable_user()->set_email(probe.Email("bob"));
  ExpectValues(probe, request, absl::StrCat("Bob, bob@", probe.domain(), ", no age"));
}

void UnknownField(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  for (const std::string path : {"shoe_size", "Name", "user.name", ""}) {
    const RpcError error =
        probe.Refused(&Stub::UpdateUser, UpdateOf(ann, {path}),
                      "INVALID_ARGUMENT / UPDATE_MASK_INVALID", " with the path " + Shown(path));
    probe.Equal("the fields named", error.fields(), {"update_mask"});
  }
}

void OutputOnlyPaths(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  UpdateUserRequest request = UpdateOf(ann, {"create_time", "update_time", "name"});
  request.mutable_user()->set_name("Anna");
  request.mutable_user()->mutable_create_time()->set_seconds(1);
  ExpectValues(probe, request, absl::StrCat("Anna, ", ann.email(), ", no age"));
  probe.Equal("create_time", probe.Get(ann.user_id()).create_time().seconds(),
              ann.create_time().seconds());
}

void ValuesAreChecked(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  UpdateUserRequest request = UpdateOf(ann, {"name", "email", "age"});
  request.mutable_user()->set_name(" ");
  request.mutable_user()->set_email("nobody-" + probe.domain());
  request.mutable_user()->set_age(151);
  const RpcError error =
      probe.Refused(&Stub::UpdateUser, request, "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(), {"user.name", "user.email", "user.age"});
  request = UpdateOf(ann, {"name", "email"});
  request.mutable_user()->set_name("  Anna ");
  request.mutable_user()->set_email(probe.Email("ANNA"));
  ExpectValues(probe, request, absl::StrCat("Anna, anna@", probe.domain(), ", no age"));
}

void TimesOfAnUpdate(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  UpdateUserRequest request = UpdateOf(ann, {"age"});
  request.mutable_user()->set_age(5);
  const User updated = probe.Ok(&Stub::UpdateUser, request);
  probe.Equal("create_time", updated.create_time().ShortDebugString(),
              ann.create_time().ShortDebugString());
  const auto instant = [](const google::protobuf::Timestamp& time) {
    return std::pair(time.seconds(), time.nanos());
  };
  probe.True("update_time is no earlier",
             instant(updated.update_time()) >= instant(ann.update_time()));
}

void MissingUser(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(ann.user_id());
  probe.Ok(&Stub::DeleteUser, remove);
  UpdateUserRequest request = UpdateOf(ann, {"name"});
  request.mutable_user()->set_name("Anna");
  probe.Refused(&Stub::UpdateUser, request, "NOT_FOUND / USER_NOT_FOUND");
}

}  // namespace

Group MaskRules() {
  return {"masks",
          {
              {"an update writes what its mask names, and nothing else", NamedFields},
              {"an update without a mask writes what is set", WithoutAMask},
              {"a field that is named and not set is cleared", NamedAndNotSet},
              {"* means name, email and age", Star},
              {"a mask that names something else is refused", UnknownField},
              {"output-only fields in a mask are ignored", OutputOnlyPaths},
              {"what an update writes is checked and coerced as in a create", ValuesAreChecked},
              {"an update keeps create_time and moves update_time on", TimesOfAnUpdate},
              {"an update of a user who is not there is refused", MissingUser},
          }};
}

}  // namespace userservice::cli::conformance
