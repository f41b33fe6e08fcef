// WatchUsers: the change feed.
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::User;
using users::v1::WatchUsersRequest;
using users::v1::WatchUsersResponse;

// More than these are not read from the beginning on.
constexpr int64_t kReplayedUsersMax = 20'000;

// One watch, of which the changes of some users are looked at.
class Watching {
 public:
  Watching(Probe& probe, std::optional<int64_t> after_revision, const std::string& filter = "")
      : probe_(probe), call_(probe.timeout(), probe.stop()) {
    WatchUsersRequest request;
    if (after_revision.has_value()) request.set_after_revision(*after_revision);
    request.set_filter(filter);
    reader_ = probe.stub().WatchUsers(&call_.context(), request);
  }
  ~Watching() {
    call_.context().TryCancel();
    End();
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

  // Nothing, noted, if the watch has ended; the rule is skipped if it is not served.
  std::optional<WatchUsersResponse> Next() {
    WatchUsersResponse message;
    if (reader_->Read(&message)) return message;
    const RpcError end = End();
    if (absl::StartsWith(end.outcome(), "UNIMPLEMENTED")) {
      probe_.Skip("the server does not serve WatchUsers");
    } else {
      probe_.Note("WatchUsers", "a message", Probe::Said(end));
    }
    return std::nullopt;
  }

  // Up to this revision: what became of the users with these numbers, in order, as
  // "changed NAME" and "removed NAME", by the names that are given.
  std::vector<std::string> Until(int64_t revision, const std::map<int64_t, std::string>& names) {
    std::vector<std::string> seen;
    for (int64_t reached = -1; reached < revision;) {
      const std::optional<WatchUsersResponse> message = Next();
      if (!message.has_value()) break;
      if (message->revision() < reached) {
        probe_.Note("the revision of a message", absl::StrCat("at least ", reached),
                    Shown(message->revision()));
      }
      reached = message->revision();
      for (const WatchUsersResponse::Change& change : message->changes()) {
        const bool is_removal = !change.has_user();
        const auto found =
            names.find(is_removal ? change.removed_user_id() : change.user().user_id());
        if (found == names.end()) continue;
        seen.push_back(absl::StrCat(is_removal ? "removed " : "changed ", found->second));
      }
    }
    return seen;
  }

  RpcError End() {
    if (ended_) return RpcError();
    ended_ = true;
    for (WatchUsersResponse unread; reader_->Read(&unread);) {
    }
    return RpcError(reader_->Finish());
  }

 private:
  Probe& probe_;
  CallScope call_;
  std::unique_ptr<grpc::ClientReader<WatchUsersResponse>> reader_;
  bool ended_ = false;
};

User WithAge(Probe& probe, const User& user, int age) {
  users::v1::UpdateUserRequest request;
  request.mutable_user()->set_user_id(user.user_id());
  request.mutable_user()->set_age(age);
  return probe.Ok(&Stub::UpdateUser, request);
}

void Remove(Probe& probe, const User& user) {
  users::v1::DeleteUserRequest request;
  request.set_user_id(user.user_id());
  probe.Ok(&Stub::DeleteUser, request);
}

void EachChangeInOrder(Probe& probe) {
  const User first = probe.Create("First", "first");
  Watching watch(probe, probe.RevisionOf(first));
  const User ann = probe.Create("Ann", "ann");
  const std::map<int64_t, std::string> names = {{ann.user_id(), "Ann"}};
  probe.Equal("after a create", watch.Until(probe.RevisionOf(ann), names), {"changed Ann"});
  if (probe.skipped().has_value()) return;
  const int64_t updated = probe.RevisionOf(WithAge(probe, ann, 5));
  probe.Equal("after an update", watch.Until(updated, names), {"changed Ann"});
  Remove(probe, ann);
  const User last = probe.Create("Last", "last");
  probe.Equal("after a deletion", watch.Until(probe.RevisionOf(last), names), {"removed Ann"});
}

void ReplayIsCompacted(Probe& probe) {
  const User first = probe.Create("First", "first");
  std::map<int64_t, std::string> names = {{first.user_id(), "First"}};
  const User ann = probe.Create("Ann", "ann");
  const User bob = probe.Create("Bob", "bob");
  const User carl = probe.Create("Carl", "carl");
  for (const User& user : {ann, bob, carl}) names[user.user_id()] = user.name();
  Remove(probe, bob);
  const int64_t newest = probe.RevisionOf(WithAge(probe, ann, 5));
  Watching watch(probe, probe.RevisionOf(first));
  probe.Equal("the latest changes, in order", watch.Until(newest, names),
              {"changed Carl", "removed Bob", "changed Ann"});
}

void ChangesAreTheUsersThemselves(Probe& probe) {
  const User first = probe.Create("First", "first");
  const User ann = probe.Create("Ann", "ann", 41);
  Watching watch(probe, probe.RevisionOf(first), probe.Own());
  while (const auto message = watch.Next()) {
    for (const WatchUsersResponse::Change& change : message->changes()) {
      if (change.user().user_id() != ann.user_id()) continue;
      probe.Equal("the user", change.user().ShortDebugString(), ann.ShortDebugString());
      probe.Equal("the revision of the change", change.revision(), probe.RevisionOf(ann));
      return;
    }
  }
}

void FromNowOn(Probe& probe) {
  const User before = probe.Create("Before", "before");
  Watching watch(probe, std::nullopt);
  if (!watch.Next().has_value()) return;  // it has begun
  const User ann = probe.Create("Ann", "ann");
  probe.Equal(
      "what comes",
      watch.Until(probe.RevisionOf(ann), {{before.user_id(), "Before"}, {ann.user_id(), "Ann"}}),
      {"changed Ann"});
}

void FromTheBeginning(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const auto count = probe.Ok(&Stub::CountUsers, users::v1::CountUsersRequest());
  if (count.count() > kReplayedUsersMax)
    return probe.Skip(absl::StrCat("the server has ", count.count(), " users to go through"));
  Watching watch(probe, 0, probe.Own());
  probe.Equal("what comes", watch.Until(probe.RevisionOf(ann), {{ann.user_id(), "Ann"}}),
              {"changed Ann"});
}

void OthersAreRemoved(Probe& probe) {
  const User ann = probe.Create("Ann", "ann", 20);
  const User bob = probe.Create("Bob", "bob", 60);
  const std::map<int64_t, std::string> names = {{ann.user_id(), "Ann"}, {bob.user_id(), "Bob"}};
  const int64_t begin = probe.RevisionOf(bob);
  WithAge(probe, bob, 30);
  const int64_t newest = probe.RevisionOf(WithAge(probe, ann, 70));
  Watching watch(probe, begin, "age >= 50");
  probe.Equal("what comes", watch.Until(newest, names), {"removed Bob", "changed Ann"});
}

void ABatchIsWhole(Probe& probe) {
  const User first = probe.Create("First", "first");
  const std::vector<User> users = probe.CreateMany(50);
  if (users.empty()) return;
  const int64_t revision = probe.RevisionOf(users[0]);
  Watching watch(probe, probe.RevisionOf(first));
  while (const auto message = watch.Next()) {
    int of_the_batch = 0;
    for (const WatchUsersResponse::Change& change : message->changes())
      of_the_batch += change.revision() == revision ? 1 : 0;
    if (of_the_batch > 0) {
      probe.Equal("users of the batch in one message", of_the_batch, 50);
      return;
    }
  }
}

void BecomesSynced(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  Watching watch(probe, probe.RevisionOf(ann));
  while (const auto message = watch.Next())
    if (message->synced()) return;
}

void Resumed(Probe& probe) {
  const User first = probe.Create("First", "first");
  const User ann = probe.Create("Ann", "ann");
  const std::map<int64_t, std::string> names = {{first.user_id(), "First"}, {ann.user_id(), "Ann"}};
  const int64_t middle = probe.RevisionOf(ann);
  Watching(probe, probe.RevisionOf(first)).Until(middle, names);
  if (probe.skipped().has_value()) return;
  const User bob = probe.Create("Bob", "bob");
  Watching watch(probe, middle);
  probe.Equal("what comes again", watch.Until(probe.RevisionOf(bob), names), {});
}

void ExpectWatchRefused(Probe& probe, int64_t after_revision, const std::string& filter,
                        const std::string& outcome) {
  const RpcError error = Watching(probe, after_revision, filter).End();
  if (error.outcome() == "UNIMPLEMENTED / METHOD_UNIMPLEMENTED")
    return probe.Skip("the server does not serve WatchUsers");
  probe.Equal("the end", error.outcome(), outcome);
  probe.Equal("what is wrong with the error", error.Malformation(), "");
}

void InTheFuture(Probe& probe) {
  ExpectWatchRefused(probe, 1'000'000'000'000, "", "OUT_OF_RANGE / REVISION_IN_FUTURE");
}

void BadWatchFilter(Probe& probe) {
  ExpectWatchRefused(probe, 0, "age >", "INVALID_ARGUMENT / FILTER_INVALID");
}

}  // namespace

Group WatchRules() {
  return {
      "watch",
      {
          {"each change comes once, in order", EachChangeInOrder},
          {"a replay holds each user's latest change, deletions included", ReplayIsCompacted},
          {"a change carries the user as it is stored", ChangesAreTheUsersThemselves},
          {"without after_revision a watch begins now", FromNowOn},
          {"after revision 0 come all users there are", FromTheBeginning},
          {"with a filter, a changed user who does not match comes as removed", OthersAreRemoved},
          {"a batch is never split over messages", ABatchIsWhole},
          {"a watch that has caught up says so", BecomesSynced},
          {"a watch that is resumed repeats nothing", Resumed},
          {"a revision of the future is refused", InTheFuture},
          {"a watch with a bad filter is refused", BadWatchFilter},
      }};
}

}  // namespace userservice::cli::conformance
