// What several handlers do with a request: the context of a store call, its timing, and the options
// of a write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "service/rpc/call.h"
#include "service/store/user_store.h"

namespace userservice::handlers {

inline constexpr int kBatchMax = 1000;
inline constexpr int kPageSizeDefault = 50;
inline constexpr int kPageSizeMax = 1000;

// The store's view of a call; when it goes out of scope, the time that the store spent is added to
// the call's spans.
class TimedContext {
 public:
  explicit TimedContext(rpc::Call& call, int64_t min_revision = 0);
  ~TimedContext();
  TimedContext(const TimedContext&) = delete;
  TimedContext& operator=(const TimedContext&) = delete;

  const store::CallContext& operator*() const { return context_; }

 private:
  rpc::Call& call_;
  store::CallTiming timing_;
  store::CallContext context_;
};

// The options of the write `method`. `payload` gives the bytes of its request with the request_id
// and all output-only fields cleared; without a request_id it is not asked. REQUEST_ID_INVALID if
// `request_id` is neither empty nor a version 4 UUID.
absl::StatusOr<store::WriteOptions> WriteOptionsOf(std::string_view method,
                                                   std::string_view request_id, bool validate_only,
                                                   absl::FunctionRef<std::string()> payload,
                                                   const store::UserStore& store);

// Clears what a client can not set. The etag stays: it is a precondition in UpdateUser.
void ClearOutputOnly(users::v1::User& user);

}  // namespace userservice::handlers
