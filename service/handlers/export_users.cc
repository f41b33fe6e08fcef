#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"

namespace userservice::handlers {
namespace {

constexpr std::string_view kExportMethod = "ExportUsers";

// Where an export that has sent everything goes on: after the last user it saw.
store::PageCursor CursorAfter(const store::EncodedUsers& users,
                              const std::optional<store::PageCursor>& before) {
  if (users.count > 0) return store::PageCursor({users.last_user_id});
  return before.has_value() ? *before : store::PageCursor({int64_t{0}});
}

}  // namespace

// One page is one short read transaction, and none is open while a chunk waits for a slow client.
Task<absl::Status> ExportUsers(rpc::Call& call, const users::v1::ExportUsersRequest& request,
                               rpc::EncodedStream& stream, store::UserStore& store) {
  store::PageQuery query;
  query.page_size = kPageSizeMax;
  absl::StatusOr<store::Filter> filter = store::Filter::Parse(request.filter());
  if (!filter.ok()) co_return filter.status();
  query.filter = *std::move(filter);
  const store::PageTokenCodec& tokens = store.page_tokens();
  if (!request.resume_token().empty()) {
    absl::StatusOr<store::PageCursor> after =
        tokens.Open(request.resume_token(), "resume_token", kExportMethod, query.filter.text(),
                    query.order_by.text());
    if (!after.ok()) co_return after.status();
    query.after = *std::move(after);
  }
  const TimedContext context(call);
  for (;;) {
    absl::StatusOr<store::UserPage> page = co_await store.ListUsers(*context, query);
    if (!page.ok()) co_return page.status();
    const bool is_last = !page->next.has_value();
    query.after = is_last ? CursorAfter(page->users, query.after) : *std::move(page->next);
    // Empty pages too: their token is how far a selective export has come, should it be cut off.
    users::v1::ExportUsersResponse rest;
    rest.set_resume_token(
        tokens.Seal(*query.after, kExportMethod, query.filter.text(), query.order_by.text()));
    rpc::Encoded<users::v1::ExportUsersResponse> chunk(std::move(page->users.bytes), rest);
    auto bytes = std::make_shared<const std::string>(std::move(chunk).Take());
    const bool written = co_await stream.Write(std::move(bytes));
    if (!written) co_return errors::CallCancelled();
    if (is_last) co_return absl::OkStatus();
    if (call.draining().stop_requested()) co_return errors::ShuttingDown();
  }
}

}  // namespace userservice::handlers
