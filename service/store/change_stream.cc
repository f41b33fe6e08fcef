#include "service/store/change_stream.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "async/stop.h"
#include "service/store/call_limits.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {
namespace {

EncodedChanges Encode(const users::v1::WatchUsersResponse& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

}  // namespace

SqliteChangeStream::SqliteChangeStream(const CallContext& context, Filter filter,
                                       const ChangePosition& begin, int64_t newest,
                                       ChangeFeed& feed, Reader& reader, Broadcast& committed)
    : context_(context),
      follower_(feed),
      feed_(feed),
      reader_(reader),
      committed_(committed),
      shares_(filter.root() == nullptr),
      begun_at_(newest),
      position_(begin),
      ticks_(feed.Look(0).ticks) {
  query_.filter = std::move(filter);
}

Task<absl::StatusOr<EncodedChanges>> SqliteChangeStream::Next() {
  const std::stop_token& stop = co_await CurrentStopToken();
  for (;;) {
    absl::Status ended = CheckNotEnded(context_, stop, absl::Now());
    if (!ended.ok()) co_return ended;
    // Of what comes after this, a waiter for more is told.
    const int64_t heard = follower_.news().value();
    const ChangeFeed::View view = feed_.Look(position_.revision);
    const int64_t newest = std::max(view.newest, begun_at_);
    if (HasCaughtUp(newest)) {
      const bool has_said_so = std::exchange(synced_, true);
      const bool is_silent = std::exchange(ticks_, view.ticks) == view.ticks;
      if (!has_said_so || !is_silent) co_return Progress();
      co_await follower_.news().WaitFor(heard + 1);
      continue;
    }
    ticks_ = view.ticks;
    if (shares_ && synced_ && view.message != nullptr) {
      position_.revision = view.message_revision;
      co_return view.message;
    }
    absl::StatusOr<ChangePage> page = co_await ReadPage(newest);
    if (!page.ok()) co_return page.status();
    const bool is_further = page->next.revision > position_.revision;
    const bool was_synced = synced_;
    position_ = page->next;
    synced_ = synced_ || HasCaughtUp(newest);
    page->message.set_synced(synced_);
    const bool says_something =
        page->message.changes_size() > 0 || is_further || synced_ != was_synced;
    if (says_something) co_return Encode(page->message);
  }
}

bool SqliteChangeStream::HasCaughtUp(int64_t revision) const {
  return !position_.among_unnumbered.has_value() && position_.revision >= revision;
}

EncodedChanges SqliteChangeStream::Progress() const {
  users::v1::WatchUsersResponse message;
  message.set_revision(position_.revision);
  message.set_synced(true);
  return Encode(message);
}

Task<absl::StatusOr<ChangePage>> SqliteChangeStream::ReadPage(int64_t up_to_revision) {
  feed_.CountOwnRead();
  query_.up_to_revision = up_to_revision;
  auto read = [this](sqlite::Connection& connection, const sqlite::QueryLimits& limits) {
    return ReadChanges(connection, limits, position_, query_);
  };
  return reader_.Read(context_, committed_, read);
}

}  // namespace userservice::store
