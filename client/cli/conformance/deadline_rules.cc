// Deadlines, cancellation, and reads that wait for a revision.
#include <chrono>
#include <future>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "client/cli/conformance/rules.h"

namespace userservice::cli::conformance {
namespace {

using users::v1::GetUserRequest;
using users::v1::User;

// What a call may take longer than its deadline, on a busy machine and over a slow network.
constexpr absl::Duration kGrace = absl::Seconds(2);
constexpr int64_t kFarAhead = 1'000'000'000'000;

// A read that has nothing to answer until long after its deadline.
grpc::Status ReadTheFuture(Probe& probe, CallScope& call, int64_t user_id) {
  GetUserRequest request;
  request.set_user_id(user_id);
  request.set_min_revision(kFarAhead);
  User user;
  return probe.stub().GetUser(&call.context(), request, &user);
}

void DeadlineEndsTheCall(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const absl::Duration deadline = absl::Milliseconds(200);
  const absl::Time start = absl::Now();
  CallScope call(deadline, probe.stop());
  const RpcError error(ReadTheFuture(probe, call, ann.user_id()));
  const absl::Duration took = absl::Now() - start;
  probe.True("the outcome is DEADLINE_EXCEEDED",
             absl::StartsWith(error.outcome(), "DEADLINE_EXCEEDED"));
  probe.True("not before the deadline", took >= deadline - absl::Milliseconds(20));
  probe.True("soon after the deadline", took <= deadline + kGrace);
}

void DeadlinesLeaveTheServerFree(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  std::vector<std::future<grpc::Status>> calls;
  for (int i = 0; i < 32; ++i) {
    calls.push_back(std::async(std::launch::async, [&probe, &ann] {
      CallScope call(absl::Milliseconds(50), probe.stop());
      return ReadTheFuture(probe, call, ann.user_id());
    }));
  }
  for (auto& call : calls) {
    const RpcError error(call.get());
    if (!absl::StartsWith(error.outcome(), "DEADLINE_EXCEEDED"))
      probe.Note("the end of one call", "DEADLINE_EXCEEDED", Probe::Said(error));
  }
  probe.Equal("who is read after that", probe.Get(ann.user_id()).name(), "Ann");
}

void Cancellation(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  CallScope call(probe.timeout(), probe.stop());
  auto pending =
      std::async(std::launch::async, [&] { return ReadTheFuture(probe, call, ann.user_id()); });
  // Nobody tells when the server has the call: it may be before or after this.
  pending.wait_for(std::chrono::milliseconds(50));
  const absl::Time start = absl::Now();
  call.context().TryCancel();
  const RpcError error(pending.get());
  probe.True("the outcome is CANCELLED", absl::StartsWith(error.outcome(), "CANCELLED"));
  probe.True("at once", absl::Now() - start <= kGrace);
  probe.Equal("who is read after that", probe.Get(ann.user_id()).name(), "Ann");
}

void ReadsItsOwnWrite(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  const int64_t revision = probe.RevisionOf(ann);
  GetUserRequest get;
  get.set_user_id(ann.user_id());
  get.set_min_revision(revision);
  probe.Equal("who GetUser reads", probe.Ok(&Stub::GetUser, get).name(), "Ann");
  users::v1::ListUsersRequest list;
  list.set_filter(probe.Own());
  list.set_min_revision(revision);
  const auto page = probe.Ok(&Stub::ListUsers, list);
  probe.True("the revision of a page is at least that", page.revision() >= revision);
  users::v1::CountUsersRequest count;
  count.set_filter(probe.Own());
  count.set_min_revision(revision);
  probe.Equal("whom CountUsers counts", probe.Ok(&Stub::CountUsers, count).count(), 1);
}

void LongDeadline(Probe& probe) {
  const User ann = probe.Create("Ann", "ann");
  CallScope call(absl::Hours(24 * 365), probe.stop());
  GetUserRequest request;
  request.set_user_id(ann.user_id());
  User user;
  const RpcError error(probe.stub().GetUser(&call.context(), request, &user));
  probe.Equal("the outcome", error.outcome(), "OK");
}

}  // namespace

Group DeadlineRules() {
  return {
      "deadlines",
      {
          {"a call ends at its deadline", DeadlineEndsTheCall},
          {"calls whose deadline passed leave the server as it was", DeadlinesLeaveTheServerFree},
          {"a call that is cancelled ends at once", Cancellation},
          {"a read with the min_revision of a write sees it", ReadsItsOwnWrite},
          {"a deadline of a year is taken", LongDeadline},
      }};
}

}  // namespace userservice::cli::conformance
