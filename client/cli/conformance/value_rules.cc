// What may be stored, and how it comes back.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::CreateUserRequest;
using users::v1::User;

constexpr char kFieldInvalid[] = "INVALID_ARGUMENT / FIELD_INVALID";

CreateUserRequest NewUser(const std::string& name, const std::string& email) {
  CreateUserRequest request;
  request.mutable_user()->set_name(name);
  request.mutable_user()->set_email(email);
  return request;
}

void ExpectFields(Probe& probe, const CreateUserRequest& request,
                  const std::vector<std::string>& fields, const std::string& which) {
  const RpcError error = probe.Refused(&Stub::CreateUser, request, kFieldInvalid, which);
  probe.Equal("the fields named" + which, error.fields(), fields);
}

std::string Repeat(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

void CreatedUser(Probe& probe) {
  const User user = probe.Create("Ann", "ann", 41);
  probe.True("user_id is positive", user.user_id() > 0);
  probe.Equal("name", user.name(), "Ann");
  probe.Equal("email", user.email(), "ann@" + probe.domain());
  probe.Equal("age", user.age(), 41);
  probe.True("create_time is set", user.has_create_time());
  probe.True("update_time is set", user.has_update_time());
  probe.True("etag is set", !user.etag().empty());
  const User read = probe.Get(user.user_id());
  probe.Equal("what GetUser gives", read.ShortDebugString(), user.ShortDebugString());
}

void OutputOnlyFields(Probe& probe) {
  CreateUserRequest request = NewUser("Ann", probe.Email("ann"));
  request.mutable_user()->set_user_id(4'000'000'000'000);
  request.mutable_user()->mutable_create_time()->set_seconds(1);
  request.mutable_user()->mutable_update_time()->set_seconds(1);
  request.mutable_user()->set_etag("\"mine\"");
  const User user = probe.Ok(&Stub::CreateUser, request);
  probe.Know(user);
  probe.True("user_id is the service's own", user.user_id() != 4'000'000'000'000);
  probe.True("create_time is the service's own", user.create_time().seconds() != 1);
  probe.True("update_time is the service's own", user.update_time().seconds() != 1);
  probe.True("etag is the service's own", user.etag() != "\"mine\"");
}

void SpaceAroundANameIsRemoved(Probe& probe) {
  const std::string no_break = "\xC2\xA0";
  const std::string ideographic = "\xE3\x80\x80";
  const User user = probe.Create(" \t" + no_break + "Ann  Lee" + ideographic + "\n", "ann");
  probe.Equal("name", user.name(), "Ann  Lee");
}

void NamesComeBackAsTheyAre(Probe& probe) {
  int number = 0;
  for (const std::string name : {"Zo\xC3\xAB", "\xE6\x9D\x8E\xE5\xB0\x8F\xE9\xBE\x8D",
                                 "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80",
                                 "O'Neil; DROP TABLE users; --", "\"%_\\*", "e\xCC\x81"}) {
    const User user = probe.Create(name, absl::StrCat("n", ++number));
    probe.Equal("the name stored", user.name(), name);
    probe.Equal("the name read", probe.Get(user.user_id()).name(), name);
  }
}

void EmptyName(Probe& probe) {
  ExpectFields(probe, NewUser("", probe.Email("a")), {"user.name"}, " of nothing");
  ExpectFields(probe, NewUser(" \t \n", probe.Email("b")), {"user.name"}, " of white space");
}

void LengthOfAName(Probe& probe) {
  const std::string hundred = Repeat("\xC3\xBC", 100);
  probe.Equal("a name of 100 code points", probe.Create(hundred, "a").name(), hundred);
  ExpectFields(probe, NewUser(hundred + "x", probe.Email("b")), {"user.name"},
               " of 101 code points");
}

void ControlCharacters(Probe& probe) {
  int number = 0;
  for (const std::string name : {"a\nb",
                                 "a\x1F"
                                 "b",
                                 "a\x7F"
                                 "b",
                                 "a\xC2\x85"
                                 "b"}) {
    ExpectFields(probe, NewUser(name, probe.Email(absl::StrCat("c", ++number))), {"user.name"},
                 " of " + Shown(name));
  }
}

void EmailsAreLowered(Probe& probe) {
  const std::string email = probe.Email("Ann.Lee+X");
  const User user = probe.Ok(&Stub::CreateUser, NewUser("Ann", email));
  probe.Know(user);
  probe.Equal("email", user.email(), absl::AsciiStrToLower(email));
}

void EmailsInAnyCaseAreOne(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  users::v1::LookupUserRequest lookup;
  lookup.set_email(absl::AsciiStrToUpper(ann.email()));
  probe.Equal("who is found in upper case", probe.Ok(&Stub::LookupUser, lookup).user_id(),
              ann.user_id());
  probe.Refused(&Stub::CreateUser, NewUser("Bob", absl::AsciiStrToUpper(ann.email())),
                "ALREADY_EXISTS / EMAIL_TAKEN");
}

void BadEmails(Probe& probe) {
  const std::string& domain = probe.domain();
  const std::string own = domain.substr(0, domain.find(".conformance"));  // nobody else's
  for (const std::string& email :
       {std::string(), "nobody-" + own, "ann@" + absl::StrReplaceAll(own, {{".", "-"}}),
        "a@b@" + domain, ".a@" + domain, "a.@" + domain, "a..b@" + domain, "a b@" + domain,
        "@" + domain, "a@-b." + domain, "a@b-." + domain, "a@b_c." + domain, "a@." + domain,
        "\xC3\xA4@" + domain, "a@\xC3\xA4." + domain, "a@" + domain + "."}) {
    if (!email.empty()) probe.Adopt(email);
    ExpectFields(probe, NewUser("Ann", email), {"user.email"}, " with the address " + Shown(email));
  }
}

void OddEmails(Probe& probe) {
  for (const std::string local : {"!#$%&'*+-/=?^_`{|}~", "a.b.c", "0", "a-"}) {
    const User user = probe.Create("Ann", local);
    probe.Equal("the address stored", user.email(), absl::StrCat(local, "@", probe.domain()));
  }
}

void LengthOfAnEmail(Probe& probe) {
  constexpr size_t kBytesMax = 150;
  const std::string local(64, 'a');
  const size_t rest = kBytesMax - local.size() - 1;
  const std::string label(rest - probe.domain().size() - 1, 'b');
  const std::string longest = probe.Adopt(absl::StrCat(local, "@", label, ".", probe.domain()));
  const User user = probe.Ok(&Stub::CreateUser, NewUser("Ann", longest));
  probe.Know(user);
  probe.Equal("an address of 150 bytes", user.email(), longest);
  const std::string too_long = probe.Adopt(absl::StrCat(local, "@b", label, ".", probe.domain()));
  ExpectFields(probe, NewUser("Ann", too_long), {"user.email"}, " of 151 bytes");
  ExpectFields(probe, NewUser("Ann", probe.Email("a" + local)), {"user.email"},
               " with 65 bytes before the @");
  const std::string long_label = probe.Adopt("a@" + std::string(64, 'b') + "." + probe.domain());
  ExpectFields(probe, NewUser("Ann", long_label), {"user.email"}, " with a label of 64 bytes");
}

void Ages(Probe& probe) {
  probe.Equal("age 0", probe.Create("Baby", "a0", 0).has_age(), true);
  probe.Equal("age 150", probe.Create("Old", "a150", 150).age(), 150);
  int number = 0;
  for (const int age : {-1, 151, 2'000'000'000}) {
    CreateUserRequest request = NewUser("Ann", probe.Email(absl::StrCat("bad", ++number)));
    request.mutable_user()->set_age(age);
    ExpectFields(probe, request, {"user.age"}, absl::StrCat(" of ", age));
  }
}

void AbsentAge(Probe& probe) {
  const User user = probe.Create("Ann", "ann");
  probe.True("the stored user has no age", !user.has_age());
  probe.True("nor when it is read", !probe.Get(user.user_id()).has_age());
}

void AllViolationsAtOnce(Probe& probe) {
  CreateUserRequest request = NewUser(" ", "nobody-" + probe.domain());
  request.mutable_user()->set_age(151);
  ExpectFields(probe, request, {"user.name", "user.email", "user.age"}, "");
}

void ValidateOnly(Probe& probe) {
  CreateUserRequest request = NewUser(" Ann ", probe.Email("ann"));
  request.set_validate_only(true);
  probe.Equal("the name answered", probe.Ok(&Stub::CreateUser, request).name(), "Ann");
  users::v1::LookupUserRequest lookup;
  lookup.set_email(request.user().email());
  probe.Refused(&Stub::LookupUser, lookup, "NOT_FOUND / USER_NOT_FOUND", " of who was not stored");

  const User bob = probe.Create("Bob", "bob");
  request.mutable_user()->set_email(bob.email());
  probe.Refused(&Stub::CreateUser, request, "ALREADY_EXISTS / EMAIL_TAKEN");
  users::v1::DeleteUserRequest remove;
  remove.set_user_id(bob.user_id());
  remove.set_validate_only(true);
  probe.Ok(&Stub::DeleteUser, remove);
  probe.Equal("who is there still", probe.Get(bob.user_id()).name(), "Bob");
}

}  // namespace

Group ValueRules() {
  return {"values",
          {
              {"a created user comes back with a number, times and an etag", CreatedUser},
              {"output-only fields of a created user are ignored", OutputOnlyFields},
              {"white space around a name is removed", SpaceAroundANameIsRemoved},
              {"a name in any script comes back byte by byte", NamesComeBackAsTheyAre},
              {"an empty name is refused", EmptyName},
              {"a name has at most 100 code points", LengthOfAName},
              {"a name with control characters is refused", ControlCharacters},
              {"an address is stored in lower case", EmailsAreLowered},
              {"an address in another case is the same", EmailsInAnyCaseAreOne},
              {"what is no address is refused", BadEmails},
              {"every character of a dot-atom may stand before the @", OddEmails},
              {"an address and its parts have lengths", LengthOfAnEmail},
              {"an age is 0 to 150", Ages},
              {"an age that is absent stays absent", AbsentAge},
              {"all violations of a request are reported at once", AllViolationsAtOnce},
              {"validate_only answers alike and stores nothing", ValidateOnly},
          }};
}

}  // namespace userservice::cli::conformance
