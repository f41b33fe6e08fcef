#include "service/handlers/request.h"

#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::handlers {
namespace {

// xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx, RFC 4122; `id` in lower case.
bool IsUuid4(std::string_view id) {
  constexpr size_t kLength = 36;
  if (id.size() != kLength) return false;
  for (size_t i = 0; i < kLength; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? id[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(id[i])))
      return false;
  }
  return id[14] == '4' && std::string_view("89ab").find(id[19]) != std::string_view::npos;
}

}  // namespace

TimedContext::TimedContext(rpc::Call& call, int64_t min_revision)
    : call_(call), context_(call.deadline(), call.wants_timing() ? &timing_ : nullptr) {
  context_.min_revision = min_revision;
}

TimedContext::~TimedContext() {
  call_.AddTiming("queue", timing_.queue_wait);
  call_.AddTiming("sql", timing_.sql);
}

absl::StatusOr<store::WriteOptions> WriteOptionsOf(std::string_view method,
                                                   std::string_view request_id, bool validate_only,
                                                   absl::FunctionRef<std::string()> payload,
                                                   const store::UserStore& store) {
  store::WriteOptions options;
  options.validate_only = validate_only;
  options.request_id = absl::AsciiStrToLower(errors::AbslView(request_id));
  if (options.request_id.empty()) return options;
  if (!IsUuid4(options.request_id)) return errors::RequestIdInvalid();
  options.fingerprint =
      store.page_tokens().Fingerprint(absl::StrCat(errors::AbslView(method), "\n", payload()));
  return options;
}

void ClearOutputOnly(users::v1::User& user) {
  user.clear_create_time();
  user.clear_update_time();
}

}  // namespace userservice::handlers
