#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "async/gather.h"
#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"

namespace userservice::handlers {
namespace {

constexpr std::string_view kExportMethod = "ExportUsers";
// A chunk ends with 1 MiB of users, too.
constexpr int kExportPageSize = 2500;

// Where an export that has sent everything goes on: after the last user it saw.
store::PageCursor CursorAfter(const store::EncodedUsers& users,
                              const std::optional<store::PageCursor>& before) {
  if (users.count > 0) return store::PageCursor({users.last_user_id});
  return before.has_value() ? *before : store::PageCursor({int64_t{0}});
}

std::string ResumeToken(const store::PageQuery& query, const store::UserStore& store) {
  return store.page_tokens().Seal(*query.after, kExportMethod, query.filter.text(),
                                  query.order_by.text());
}

// A chunk, and the place behind it as query.after.
std::shared_ptr<const std::string> ChunkOf(store::UserPage page, store::PageQuery& query,
                                           const store::UserStore& store) {
  query.after =
      page.next.has_value() ? *std::move(page.next) : CursorAfter(page.users, query.after);
  users::v1::ExportUsersResponse rest;
  rest.set_resume_token(ResumeToken(query, store));
  rpc::Encoded<users::v1::ExportUsersResponse> chunk(std::move(page.users.bytes), rest);
  return std::make_shared<const std::string>(std::move(chunk).Take());
}

}  // namespace

// One page is one short read transaction, which ends whether or not a chunk waits for a slow
// client: the page behind that chunk is read meanwhile, and no other.
Task<absl::Status> ExportUsers(rpc::Call& call, const users::v1::ExportUsersRequest& request,
                               rpc::EncodedStream& stream, store::UserStore& store) {
  store::PageQuery query;
  query.page_size = kExportPageSize;
  absl::StatusOr<store::Filter> filter = store::Filter::Parse(request.filter());
  if (!filter.ok()) co_return filter.status();
  query.filter = *std::move(filter);
  if (!request.resume_token().empty()) {
    absl::StatusOr<store::PageCursor> after =
        store.page_tokens().Open(request.resume_token(), "resume_token", kExportMethod,
                                 query.filter.text(), query.order_by.text());
    if (!after.ok()) co_return after.status();
    query.after = *std::move(after);
  }
  const TimedContext context(call);
  absl::StatusOr<store::UserPage> page = co_await store.ListUsers(*context, query);
  // Empty pages are sent too: their token is how far a selective export has come, should it be cut
  // off.
  while (page.ok() && page->next.has_value()) {
    std::shared_ptr<const std::string> chunk = ChunkOf(*std::move(page), query, store);
    Task<bool> write = stream.Write(std::move(chunk));
    Task<absl::StatusOr<store::UserPage>> read = store.ListUsers(*context, query);
    auto both = GatherOutcomes(std::move(write), std::move(read));
    bool written = false;
    std::tie(written, page) = co_await std::move(both);
    if (!written) co_return errors::CallCancelled();
    if (call.draining().stop_requested()) co_return errors::ShuttingDown();
  }
  if (!page.ok()) co_return page.status();
  std::shared_ptr<const std::string> last = ChunkOf(*std::move(page), query, store);
  const bool written = co_await stream.Write(std::move(last));
  co_return written ? absl::OkStatus() : errors::CallCancelled();
}

}  // namespace userservice::handlers
