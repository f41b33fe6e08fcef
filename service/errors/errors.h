// The catalogue of errors: every error that a caller of the service can see is made here, once.
//
//   return errors::UserNotFound(42);
//
// An error is an absl::Status. Its details (google.rpc.ErrorInfo and others) are payloads, one a
// type, keyed by type URL; rpc/ turns it into a grpc::Status, adds RequestInfo, and answers
// INTERNAL for any status that did not come from here. Messages show what the caller sent or may
// know; never SQL, a path, or another user's data. Values that they quote are cut, so that an error
// with all its details, RequestInfo included, stays under 4 KiB.
// Source of the reasons: users/v1/errors.proto.
// Source of the shape: AIP-193.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace userservice::errors {

// One field at fault, with its path in the request ("user.email", "requests[3].user.age") and what
// is wrong with it, as the end of a sentence about the field: "must be 0 to 150".
struct FieldViolation {
  FieldViolation(std::string violated_field, std::string violation_description)
      : field(std::move(violated_field)), description(std::move(violation_description)) {}
  std::string field;
  std::string description;
};

// INVALID_ARGUMENT. `violations` is not empty; the first 20 are listed, then a count.
absl::Status FieldsInvalid(const std::vector<FieldViolation>& violations);
// `column` counts bytes from 1; `problem` is the end of "filter, column N: ...".
absl::Status FilterInvalid(size_t column, std::string_view problem);
absl::Status OrderByInvalid(std::string_view problem);
absl::Status PageTokenInvalid(std::string_view field);  // "page_token" or "resume_token"
absl::Status UpdateMaskInvalid(std::string_view field, std::string_view path);
absl::Status RequestIdInvalid();
absl::Status RequestIdReused(std::string_view request_id);
absl::Status MessageUnreadable();  // a message of a client is not of its type
absl::Status BatchTooLarge(std::string_view field, size_t size, size_t limit);

// NOT_FOUND, ALREADY_EXISTS, ABORTED.
absl::Status UserNotFound(int64_t user_id);
absl::Status ServiceUnknown(std::string_view service);  // asked of the health service
absl::Status UserNotFoundByEmail(std::string_view email);
absl::Status EmailTaken(std::string_view email);  // in lower case, as it is stored
absl::Status EtagMismatch(int64_t user_id);

// OUT_OF_RANGE.
absl::Status RevisionCompacted(int64_t after_revision, int64_t oldest_revision);
absl::Status RevisionInFuture(int64_t after_revision, int64_t newest_revision);

// RESOURCE_EXHAUSTED.
absl::Status StorageFull();
absl::Status TooManyStreams(size_t limit);

// UNAVAILABLE. `retry_after` goes out as RetryInfo and as the pushback of gRPC's own retries.
absl::Status Overloaded(std::string_view what, absl::Duration retry_after);
absl::Status ShuttingDown();
absl::Status StorageUnavailable();

// DEADLINE_EXCEEDED, CANCELLED.
absl::Status DeadlineExpired();
absl::Status CallCancelled();

// UNIMPLEMENTED.
absl::Status MethodUnimplemented(std::string_view method);

// INTERNAL. `cause` goes to the log, and never to the caller.
absl::Status Internal(std::string_view cause);

// Notes for the log why `status`, which is not OK, came about. It travels as a payload of its own,
// under a key that is no type URL, which rpc/ leaves out of the answer.
absl::Status WithCause(absl::Status status, std::string_view cause);
std::string CauseOf(const absl::Status& status);  // "" if nothing was noted

// What begins the key of every payload that goes to the caller; the name of the detail's message
// follows.
inline constexpr std::string_view kTypeUrlPrefix = "type.googleapis.com/";

// The reason ("USER_NOT_FOUND"), or "" for a status that did not come from here.
std::string ReasonOf(const absl::Status& status);

// RetryInfo's delay, or zero.
absl::Duration RetryAfterOf(const absl::Status& status);

}  // namespace userservice::errors
