// ExportUsers.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::ExportUsersRequest;
using users::v1::ExportUsersResponse;
using users::v1::User;

struct Exported {
  std::vector<ExportUsersResponse> chunks;
  RpcError end;

  std::vector<int64_t> ids() const {
    std::vector<int64_t> ids;
    for (const ExportUsersResponse& chunk : chunks)
      for (const User& user : chunk.users()) ids.push_back(user.user_id());
    return ids;
  }
};

Exported Export(Probe& probe, const std::string& filter, const std::string& resume_token = "") {
  ExportUsersRequest request;
  request.set_filter(filter);
  request.set_resume_token(resume_token);
  CallScope call(probe.timeout(), probe.stop());
  const auto reader = probe.stub().ExportUsers(&call.context(), request);
  Exported exported;
  for (ExportUsersResponse chunk; reader->Read(&chunk);) exported.chunks.push_back(chunk);
  exported.end = RpcError(reader->Finish());
  return exported;
}

Exported ExportOk(Probe& probe, const std::string& filter, const std::string& resume_token = "") {
  Exported exported = Export(probe, filter, resume_token);
  if (exported.end.outcome() != "OK") probe.Note("ExportUsers", "OK", Probe::Said(exported.end));
  return exported;
}

void Complete(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(1100);
  probe.Equal("the users exported", ExportOk(probe, probe.Own()).ids(), IdsOf(users));
  const std::vector<int64_t> old = ExportOk(probe, probe.OwnWhere("age >= 148")).ids();
  probe.Equal("the users of ages 148 and 149", static_cast<int>(old.size()), 14);
}

void Resumes(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(1100);
  const Exported whole = ExportOk(probe, probe.Own());
  std::vector<int64_t> seen;
  for (size_t i = 0; i < whole.chunks.size(); ++i) {
    for (const User& user : whole.chunks[i].users()) seen.push_back(user.user_id());
    std::vector<int64_t> both = seen;
    const std::vector<int64_t> rest =
        ExportOk(probe, probe.Own(), whole.chunks[i].resume_token()).ids();
    both.insert(both.end(), rest.begin(), rest.end());
    probe.Equal(absl::StrCat("the users up to chunk ", i + 1, " and from its token on"), both,
                IdsOf(users));
  }
}

void NobodyMatches(Probe& probe) {
  probe.Create("Ann", "ann");
  const Exported exported = ExportOk(probe, probe.OwnWhere("name = \"nobody\""));
  probe.Equal("the users exported", exported.ids(), {});
}

void BadFilter(Probe& probe) {
  const RpcError error = Export(probe, "age >").end;
  probe.Equal("the end of ExportUsers", error.outcome(), "INVALID_ARGUMENT / FILTER_INVALID");
  probe.Equal("what is wrong with the error", error.Malformation(), "");
}

void TokenElsewhere(Probe& probe) {
  probe.CreateMany(2);
  const Exported exported = ExportOk(probe, probe.Own());
  if (exported.chunks.empty()) return probe.Note("ExportUsers", "at least one chunk", "none");
  const std::string token = exported.chunks.back().resume_token();
  probe.Equal("the end with another filter",
              Export(probe, probe.OwnWhere("age > 0"), token).end.outcome(),
              "INVALID_ARGUMENT / PAGE_TOKEN_INVALID");
  probe.Equal("the end with text that is no token", Export(probe, probe.Own(), "x").end.outcome(),
              "INVALID_ARGUMENT / PAGE_TOKEN_INVALID");
}

void DroppedHalfway(Probe& probe) {
  const std::vector<User> users = probe.CreateMany(1100);
  for (int i = 0; i < 20; ++i) {
    ExportUsersRequest request;
    request.set_filter(probe.Own());
    CallScope call(probe.timeout(), probe.stop());
    const auto reader = probe.stub().ExportUsers(&call.context(), request);
    ExportUsersResponse chunk;
    reader->Read(&chunk);
    call.context().TryCancel();
    const RpcError error(reader->Finish());
    const bool ended = error.outcome() == "OK" || absl::StrContains(error.outcome(), "CANCELLED");
    if (!ended) probe.Note("the end of an export that was dropped", "CANCELLED", error.outcome());
  }
  probe.Equal("the users exported after that", ExportOk(probe, probe.Own()).ids(), IdsOf(users));
}

}  // namespace

Group ExportRules() {
  return {"export",
          {
              {"an export holds every user who matches once, in order of user_id", Complete},
              {"an export goes on after any of its chunks", Resumes},
              {"an export of nobody ends well", NobodyMatches},
              {"an export with a bad filter is refused", BadFilter},
              {"a resume token is refused with another filter, and text too", TokenElsewhere},
              {"exports that are dropped halfway leave the server as it was", DroppedHalfway},
          }};
}

}  // namespace userservice::cli::conformance
