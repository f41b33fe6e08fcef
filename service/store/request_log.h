// The request log: which writes that carry a request_id (AIP-155) were done, and what was answered.
//
//   absl::StatusOr<std::optional<LoggedRequest>> first = FindRequest(scope, id, fingerprint, now);
//   ...                                                    // not found: do the write
//   absl::Status status = LogRequest(scope, id, fingerprint, users, now);
//
// A request has a row, in which its first user stands; further ones have rows of their own, "ID/1"
// and so on, so that each can be erased by itself. What else was answered stands in the row of a
// request without users, and holds no personal data.
// All of it happens in the transaction of the write itself, so that after a crash both are there or
// neither is. Entries live 24 hours. Responses are personal data: they go with their user, at once.
// Errors: of the catalogue. Threads: the writer's; PurgeRequests any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/store/write_job.h"
#include "users/v1/user.pb.h"

namespace userservice::store {

struct LoggedUser {
  LoggedUser() = default;
  LoggedUser(int64_t written_user_id, std::optional<std::string> first_response)
      : user_id(written_user_id), response(std::move(first_response)) {}

  int64_t user_id = 0;
  std::optional<std::string> response;  // the serialized User; nothing once it was deleted
};

struct LoggedRequest {
  LoggedRequest() = default;
  std::vector<LoggedUser> users;
  std::string outcome;
};

// Nothing if the id is new, or was last used more than 24 hours before `now`. REQUEST_ID_REUSED if
// it was used for a request with another fingerprint.
absl::StatusOr<std::optional<LoggedRequest>> FindRequest(const WriteScope& scope,
                                                         std::string_view request_id,
                                                         std::string_view fingerprint,
                                                         absl::Time now);

// `users` is what was answered, none for a deletion. Also drops a few entries that have had their
// time.
absl::Status LogRequest(const WriteScope& scope, std::string_view request_id,
                        std::string_view fingerprint, const std::vector<users::v1::User>& users,
                        absl::Time now);
// The same for a request that answers with something else than users.
absl::Status LogOutcome(const WriteScope& scope, std::string_view request_id,
                        std::string_view fingerprint, std::string_view outcome, absl::Time now);

// Drops all entries that have had their time, on a connection of its own. For an opening: where no
// write has a request_id any more, LogRequest drops none.
absl::Status PurgeRequests(const std::string& path, absl::Time now);

// Erases what was answered about a user. The ids stay: they still tell a repeat from a new request.
absl::Status EraseResponses(const WriteScope& scope, int64_t user_id);

}  // namespace userservice::store
