// WatchStream: the changes of the table as they come, over as many calls of WatchUsers as it takes.
//
//   users::v1::WatchUsersRequest request;
//   request.set_after_revision(saved);  // 0: every user there is, then what follows
//   WatchStream changes = client->WatchUsers(request);
//   for (;;) {
//     auto message = co_await changes.Next();
//     if (ReasonOf(message.status()) == "REVISION_COMPACTED") ...  // start over from 0
//     if (!message.ok()) co_return message.status();
//     for (const auto& change : message->changes()) ...
//     saved = message->revision();
//   }
//
// It has no end. When the server can not be reached, or goes away, the stream connects again with
// backoff and goes on after the last message that it gave out, so that each revision comes once
// and in order. Before the first message it gives up after ClientOptions::attempts_max attempts,
// since nobody may be there at all; after it, never.
// Errors: all but UNAVAILABLE are given to the caller, and again when asked again.
//   REVISION_COMPACTED: what changed in between is no longer known; REVISION_IN_FUTURE: the table
//   is an older one. Both times the caller's copy is of no use, and he starts over from 0.
// Deadline: none, unless CallOptions has one; it counts from the first Next().
// Ending: drop the stream between two Next(): what is left of the call is cancelled, and cleaned up
//   on the client's own thread. A Next() that has begun must be awaited to its end; a stop of the
//   awaiting task ends it with CANCELLED.
// Threads: one at a time.
// Lifetime: dropped before the client, whose destructor else waits for it.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "client/options.h"
#include "users/v1/user_service.pb.h"

namespace userservice {

namespace internal {
class Core;
}  // namespace internal

class WatchStream {
 public:
  WatchStream(internal::Core* core, const users::v1::WatchUsersRequest& request,
              const CallOptions& options);
  WatchStream(WatchStream&& other) noexcept;
  WatchStream& operator=(WatchStream&& other) noexcept;
  ~WatchStream();

  // The next message: changes, or a sign of progress.
  Task<absl::StatusOr<users::v1::WatchUsersResponse>> Next();

 private:
  class State;
  static Task<absl::StatusOr<users::v1::WatchUsersResponse>> NextOf(State* state);

  std::unique_ptr<State> state_;
};

}  // namespace userservice
