// ExportStream: the chunks of one ExportUsers, pulled one at a time.
//
//   ExportStream chunks = client->ExportUsers(request);
//   for (;;) {
//     auto chunk = co_await chunks.Next();
//     if (!chunk.ok()) co_return chunk.status();
//     if (!chunk->has_value()) break;  // the end
//     for (const users::v1::User& user : (*chunk)->users()) ...
//   }
//
// The call is opened by the first Next(). The server sends on only as fast as the chunks are
// pulled.
// Ending: drop the stream at any time between two Next(): what is left of the call is cancelled,
//   and cleaned up on the client's own thread. A Next() that has begun must be awaited to its end;
//   a stop of the awaiting task cancels the call.
// Errors: Next() gives the error once the chunks before it were given, and again when asked again.
// Threads: one at a time.
// Lifetime: dropped before the client, whose destructor else waits for it.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "async/task.h"
#include "client/options.h"
#include "users/v1/user_service.pb.h"

namespace userservice {

namespace internal {
class Core;
template <class Request, class Response>
class ServerStream;
}  // namespace internal

class ExportStream {
 public:
  ExportStream(internal::Core* core, const users::v1::ExportUsersRequest& request,
               const CallOptions& options);
  ExportStream(ExportStream&& other) noexcept;
  ExportStream& operator=(ExportStream&& other) noexcept;
  ~ExportStream();

  // The next chunk, or nothing at the end.
  Task<absl::StatusOr<std::optional<users::v1::ExportUsersResponse>>> Next();

 private:
  using Call =
      internal::ServerStream<users::v1::ExportUsersRequest, users::v1::ExportUsersResponse>;

  std::unique_ptr<Call> call_;
};

}  // namespace userservice
