#include <algorithm>
#include <utility>
#include <vector>

#include "service/errors/errors.h"
#include "service/handlers/handlers.h"
#include "service/handlers/request.h"

namespace userservice::handlers {
namespace {

constexpr std::string_view kListMethod = "ListUsers";

// AIP-158.
absl::StatusOr<int32_t> PageSizeOf(int32_t page_size) {
  if (page_size < 0) return errors::FieldsInvalid({{"page_size", "must not be negative"}});
  return page_size == 0 ? kPageSizeDefault : std::min(page_size, kPageSizeMax);
}

absl::StatusOr<store::PageQuery> QueryOf(const users::v1::ListUsersRequest& request,
                                         const store::UserStore& store) {
  store::PageQuery query;
  absl::StatusOr<int32_t> page_size = PageSizeOf(request.page_size());
  if (!page_size.ok()) return page_size.status();
  query.page_size = *page_size;
  absl::StatusOr<store::Filter> filter = store::Filter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  query.filter = *std::move(filter);
  absl::StatusOr<store::OrderBy> order_by = store::OrderBy::Parse(request.order_by());
  if (!order_by.ok()) return order_by.status();
  query.order_by = *std::move(order_by);
  if (request.page_token().empty()) return query;
  absl::StatusOr<store::PageCursor> after = store.page_tokens().Open(
      request.page_token(), "page_token", kListMethod, query.filter.text(), query.order_by.text());
  if (!after.ok()) return after.status();
  query.after = *std::move(after);
  return query;
}

}  // namespace

Task<absl::StatusOr<rpc::Encoded<users::v1::ListUsersResponse>>> ListUsers(
    rpc::Call& call, const users::v1::ListUsersRequest& request, store::UserStore& store) {
  const absl::StatusOr<store::PageQuery> query = QueryOf(request, store);
  if (!query.ok()) co_return query.status();
  const TimedContext context(call, request.min_revision());
  absl::StatusOr<store::UserPage> page = co_await store.ListUsers(*context, *query);
  if (!page.ok()) co_return page.status();
  users::v1::ListUsersResponse rest;
  rest.set_revision(page->revision);
  if (page->next.has_value()) {
    rest.set_next_page_token(store.page_tokens().Seal(
        *page->next, kListMethod, query->filter.text(), query->order_by.text()));
  }
  co_return rpc::Encoded<users::v1::ListUsersResponse>(std::move(page->users.bytes), rest);
}

Task<absl::StatusOr<users::v1::CountUsersResponse>> CountUsers(
    rpc::Call& call, const users::v1::CountUsersRequest& request, store::UserStore& store) {
  const absl::StatusOr<store::Filter> filter = store::Filter::Parse(request.filter());
  if (!filter.ok()) co_return filter.status();
  const TimedContext context(call, request.min_revision());
  const absl::StatusOr<store::UserCount> count = co_await store.CountUsers(*context, *filter);
  if (!count.ok()) co_return count.status();
  users::v1::CountUsersResponse response;
  response.set_count(count->count);
  response.set_revision(count->revision);
  co_return response;
}

}  // namespace userservice::handlers
