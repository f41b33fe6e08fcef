#include <memory>
#include <optional>
#include <utility>

#include "async/stop.h"
#include "service/errors/errors.h"
#include "service/handlers/handlers.h"

namespace userservice::handlers {
namespace {

absl::StatusOr<std::optional<int64_t>> AfterRevisionOf(
    const users::v1::WatchUsersRequest& request) {
  if (!request.has_after_revision()) return std::nullopt;
  if (request.after_revision() < 0)
    return errors::FieldsInvalid({{"after_revision", "must not be negative"}});
  return request.after_revision();
}

}  // namespace

// While a message waits for a slow client nothing is held but that message. A drain ends the wait
// for the next one; the client resumes from the last that it has.
Task<absl::Status> WatchUsers(rpc::Call& call, const users::v1::WatchUsersRequest& request,
                              rpc::EncodedStream& stream, store::UserStore& store) {
  absl::StatusOr<store::Filter> filter = store::Filter::Parse(request.filter());
  if (!filter.ok()) co_return filter.status();
  const absl::StatusOr<std::optional<int64_t>> after_revision = AfterRevisionOf(request);
  if (!after_revision.ok()) co_return after_revision.status();
  const store::CallContext context(call.deadline(), nullptr);
  const absl::StatusOr<std::unique_ptr<store::ChangeStream>> changes =
      co_await store.WatchUsers(context, *std::move(filter), *after_revision);
  if (!changes.ok()) co_return changes.status();

  const std::stop_token& call_stop = co_await CurrentStopToken();
  const EitherStops stop(call_stop, call.draining());
  for (;;) {
    Task<absl::StatusOr<store::EncodedChanges>> next =
        WithStopToken(stop.token(), (*changes)->Next());
    const absl::StatusOr<store::EncodedChanges> message = co_await std::move(next);
    if (call.draining().stop_requested()) co_return errors::ShuttingDown();
    if (!message.ok()) co_return message.status();
    const bool written = co_await stream.Write(*message);
    if (!written) co_return errors::CallCancelled();
  }
}

}  // namespace userservice::handlers
