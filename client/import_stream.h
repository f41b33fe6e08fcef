// ImportStream: one import of many users, in chunks that are each stored once, over as many
// connections as it takes.
//
//   // Stores every chunk of `chunks`; gives how many users were stored.
//   Task<absl::StatusOr<int64_t>> Import(UserClient& client,
//                                        const std::vector<ImportUsersRequest>& chunks) {
//     int64_t created = 0;
//     ImportStream import = client.ImportUsers();
//     for (const ImportUsersRequest& chunk : chunks) {
//       const auto earlier = co_await import.Write(chunk);
//       if (!earlier.ok()) co_return earlier.status();
//       if (earlier->has_value()) created += (*earlier)->created_count();
//     }
//     for (;;) {
//       const auto outcome = co_await import.Next();
//       if (!outcome.ok()) co_return outcome.status();
//       if (!outcome->has_value()) break;  // the end: every chunk is durable
//       created += (*outcome)->created_count();
//     }
//     co_return created;
//   }
//
// The call is opened by the first Write(), and runs on between two calls of these functions.
// Once: every chunk has a request_id, which Write() gives it unless the caller did. A chunk is kept
//   until it is answered. After a broken connection, or UNAVAILABLE of the server (SHUTTING_DOWN,
//   OVERLOADED), those that are kept are sent again, with the same ids, on a new call.
// Back-pressure: `window_chunks` are in flight or have an outcome that nobody took; beyond that
//   Write() waits. The server takes chunks as fast as it stores them.
// Ending: drop the stream at any time between two calls: what is left is cancelled, and cleaned up
//   on the client's own thread. A chunk without an outcome may then have been stored.
// Stop: a stop of the awaiting task ends its wait, with CANCELLED; the stream itself goes on.
// Errors: given once the outcomes before it were given, and again when asked again. UNAVAILABLE
//   after `attempts_in_vain_max` calls that brought no outcome, or at once if no server was there
//   from the first, and the call does not wait for one.
// Threads: one at a time.
// Lifetime: dropped before the client, whose destructor else waits for it.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "async/task.h"
#include "client/options.h"
#include "users/v1/user_service.pb.h"

namespace userservice {

namespace internal {
class Core;
}  // namespace internal

struct ImportOptions {
  ImportOptions() {}
  static const ImportOptions& Default();

  // Of each call that the import makes; its deadline is that of the import as a whole. The observer
  // is told of every call.
  CallOptions call;
  // At least 1. Two keep the server busy; more hide a longer way to it.
  int window_chunks = 8;
  // Calls after one another that bring no outcome before the import is given up.
  int attempts_in_vain_max = 8;
  // Before the second of them; doubles up to 5 s. With 8 attempts about 11 s in all.
  absl::Duration first_pause = absl::Milliseconds(100);
};

class ImportStream {
 public:
  using Outcome = std::optional<users::v1::ImportUsersResponse>;

  ImportStream(internal::Core* core, const ImportOptions& options);
  ImportStream(ImportStream&& other) noexcept;
  ImportStream& operator=(ImportStream&& other) noexcept;
  ~ImportStream();

  // Takes the chunk, when the window has room for it. Gives the oldest outcome that was not given
  // yet, if there is one. A sequence of 0 becomes the next one; others must grow. With an error the
  // chunk was not taken.
  Task<absl::StatusOr<Outcome>> Write(const users::v1::ImportUsersRequest& chunk);

  // After the last chunk: the next outcome, or nothing once all were given. No Write() after it.
  Task<absl::StatusOr<Outcome>> Next();

 private:
  class State;
  static Task<absl::StatusOr<Outcome>> WriteTo(std::shared_ptr<State> state,
                                               users::v1::ImportUsersRequest chunk);
  static Task<absl::StatusOr<Outcome>> NextOf(std::shared_ptr<State> state);
  static Task<void> Run(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace userservice
