// SqliteChangeStream: what one client sees of the changes. It shares the messages of the feed, and
// reads the table itself where it can not.
//
// It reads the table, page by page, until it has caught up: when it begins, and when the client was
// so slow that the feed's ring went past it. With a filter it always does, one read a message of
// the feed's: what matches is for SQL to say, with the meaning that it has in lists.
// Between two pages nothing is held but the position: no snapshot, no page.
// Threads: those of the executor that it is used on, one at a time. Lifetime: feed, reader and
// `committed` outlive it.
#pragma once

#include <cstdint>

#include "async/broadcast.h"
#include "service/store/change_feed.h"
#include "service/store/change_scan.h"
#include "service/store/reader.h"
#include "service/store/user_store.h"

namespace userservice::store {

class SqliteChangeStream final : public ChangeStream {
 public:
  // `newest` is the newest revision at this time, and the table's state that it has to come to
  // before it is synced.
  SqliteChangeStream(const CallContext& context, Filter filter, const ChangePosition& begin,
                     int64_t newest, ChangeFeed& feed, Reader& reader, Broadcast& committed);

  Task<absl::StatusOr<EncodedChanges>> Next() override;

 private:
  bool HasCaughtUp(int64_t revision) const;
  EncodedChanges Progress() const;
  Task<absl::StatusOr<ChangePage>> ReadPage(int64_t up_to_revision);

  const CallContext context_;
  ChangeFeed::Follower follower_;
  ChangeFeed& feed_;
  Reader& reader_;
  Broadcast& committed_;
  const bool shares_;
  const int64_t begun_at_;
  ChangeQuery query_;
  ChangePosition position_;
  bool synced_ = false;
  int64_t ticks_ = 0;  // when it said something last
};

}  // namespace userservice::store
