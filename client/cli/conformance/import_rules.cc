// ImportUsers.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"
#include "client/request_id.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::ImportUsersRequest;
using users::v1::ImportUsersResponse;
using users::v1::User;

// One stream.
class Import {
 public:
  explicit Import(Probe& probe)
      : call_(probe.timeout(), probe.stop()), stream_(probe.stub().ImportUsers(&call_.context())) {}

  // The answer; the empty one, noted, if the stream has ended.
  ImportUsersResponse Send(Probe& probe, const ImportUsersRequest& chunk) {
    ImportUsersResponse response;
    stream_->Write(chunk);
    if (!stream_->Read(&response)) {
      probe.Note(absl::StrCat("chunk ", chunk.sequence(), " of ImportUsers"), "an answer",
                 Probe::Said(End()));
    }
    return response;
  }
  // How the stream ends whose last chunk is this one.
  RpcError SendLast(const ImportUsersRequest& chunk) {
    stream_->Write(chunk);
    return End();
  }
  RpcError End() {
    if (ended_) return RpcError();
    ended_ = true;
    stream_->WritesDone();
    for (ImportUsersResponse response; stream_->Read(&response);) {
    }
    return RpcError(stream_->Finish());
  }
  ~Import() { End(); }
  Import(const Import&) = delete;
  Import& operator=(const Import&) = delete;

 private:
  CallScope call_;
  const std::unique_ptr<grpc::ClientReaderWriter<ImportUsersRequest, ImportUsersResponse>> stream_;
  bool ended_ = false;
};

ImportUsersRequest ChunkOf(Probe& probe, int64_t sequence, const std::vector<std::string>& locals) {
  ImportUsersRequest chunk;
  chunk.set_sequence(sequence);
  for (const std::string& local : locals) {
    User* const user = chunk.add_users();
    user->set_name(local);
    user->set_email(probe.Email(local));
  }
  return chunk;
}

User Lookup(Probe& probe, const std::string& local) {
  users::v1::LookupUserRequest request;
  request.set_email(local + "@" + probe.domain());
  return probe.Ok(&Stub::LookupUser, request);
}

void ChunksInOrder(Probe& probe) {
  Import import(probe);
  int64_t revision = 0;
  for (const int64_t sequence : {1, 2, 7}) {
    const auto response = import.Send(
        probe,
        ChunkOf(probe, sequence, {absl::StrCat("a", sequence), absl::StrCat("b", sequence)}));
    probe.Equal("the sequence answered", response.sequence(), sequence);
    probe.Equal("users created", response.created_count(), 2);
    probe.Equal("failures", response.failures_size(), 0);
    if (response.revision() <= revision)
      probe.Note("the revision", absl::StrCat("above ", revision), Shown(response.revision()));
    revision = response.revision();
  }
  probe.Equal("the end", import.End().outcome(), "OK");
  probe.Equal("who is stored", Lookup(probe, "b7").name(), "b7");
}

void FailuresAreNamed(Probe& probe) {
  probe.Create("Ann", "taken");
  ImportUsersRequest chunk = ChunkOf(probe, 1, {"good", "taken", "noname", "young"});
  chunk.mutable_users(2)->set_name(" ");
  chunk.mutable_users(3)->set_age(200);
  Import import(probe);
  const auto response = import.Send(probe, chunk);
  probe.Equal("users created", response.created_count(), 1);
  std::vector<std::string> failures;
  for (const auto& failure : response.failures()) {
    const RpcError error(failure.status());
    failures.push_back(absl::StrCat(failure.index(), " ", error.outcome()));
    probe.Equal("what is wrong with a failure", error.Malformation(), "");
  }
  probe.Equal("the failures", failures,
              {"1 ALREADY_EXISTS / EMAIL_TAKEN", "2 INVALID_ARGUMENT / FIELD_INVALID",
               "3 INVALID_ARGUMENT / FIELD_INVALID"});
  probe.Equal("who is stored", Lookup(probe, "good").name(), "good");
}

void NothingStored(Probe& probe) {
  probe.Create("Ann", "taken");
  Import import(probe);
  const auto response = import.Send(probe, ChunkOf(probe, 1, {"taken"}));
  probe.Equal("users created", response.created_count(), 0);
  probe.Equal("the revision", response.revision(), 0);
}

void RepeatedChunk(Probe& probe) {
  probe.Create("Ann", "taken");
  ImportUsersRequest chunk = ChunkOf(probe, 1, {"new", "taken"});
  chunk.set_request_id(NewRequestId());
  const auto first = Import(probe).Send(probe, chunk);
  chunk.set_sequence(5);
  const auto again = Import(probe).Send(probe, chunk);
  probe.Equal("users created", again.created_count(), first.created_count());
  probe.Equal("the revision", again.revision(), first.revision());
  probe.Equal("failures", again.failures_size(), first.failures_size());
  chunk.mutable_users(0)->set_name("other");
  probe.Equal("the end with another payload", Import(probe).SendLast(chunk).outcome(),
              "INVALID_ARGUMENT / REQUEST_ID_REUSED");
}

void SequenceGrows(Probe& probe) {
  Import import(probe);
  import.Send(probe, ChunkOf(probe, 2, {"a"}));
  const RpcError error = import.SendLast(ChunkOf(probe, 2, {"b"}));
  probe.Equal("the end", error.outcome(), "INVALID_ARGUMENT / FIELD_INVALID");
  probe.Equal("the fields named", error.fields(), {"sequence"});
  probe.Equal("what was acknowledged before", Lookup(probe, "a").name(), "a");
}

void TooLargeChunk(Probe& probe) {
  ImportUsersRequest chunk;
  chunk.set_sequence(1);
  const std::string email = probe.Email("ann");
  for (int i = 0; i < 1001; ++i) {
    User* const user = chunk.add_users();
    user->set_name(" ");  // a server without the limit stores nobody
    user->set_email(email);
  }
  const RpcError error = Import(probe).SendLast(chunk);
  probe.Equal("the end", error.outcome(), "INVALID_ARGUMENT / BATCH_TOO_LARGE");
  probe.Equal("the fields named", error.fields(), {"users"});
}

void NoChunks(Probe& probe) { probe.Equal("the end", Import(probe).End().outcome(), "OK"); }

}  // namespace

Group ImportRules() {
  return {"import",
          {
              {"chunks are answered in order, each with a revision of its own", ChunksInOrder},
              {"what can not be stored is named, and the rest is stored", FailuresAreNamed},
              {"a chunk of which nothing is stored has revision 0", NothingStored},
              {"a repeated chunk answers with its first outcome", RepeatedChunk},
              {"a sequence that does not grow ends the stream", SequenceGrows},
              {"a chunk has at most 1,000 users", TooLargeChunk},
              {"a stream without chunks ends well", NoChunks},
          }};
}

}  // namespace userservice::cli::conformance
