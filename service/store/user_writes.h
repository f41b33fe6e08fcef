// What a write does to the tables, inside the writer's transaction. Requests, their ids and their
// replays are the business of the caller.
//
// Several of these may share one WriteScope: they share its revision then (a batch is one change).
// Errors: of the catalogue; what was changed before an error is the savepoint's to undo.
// Threads: the writer's.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/store/user_store.h"
#include "service/store/write_job.h"
#include "users/v1/user.pb.h"

namespace userservice::store {

// One statement. `time` is FormatStoredTime's. EMAIL_TAKEN.
absl::Status InsertRow(WriteScope& scope, const users::v1::User& user, std::string_view time);
// The same; returns the user as stored.
absl::StatusOr<users::v1::User> InsertUser(WriteScope& scope, const users::v1::User& user,
                                           absl::Time now);

// One statement that changes something, or none if the row has these values already: then the row
// stays as it is and keeps its revision. USER_NOT_FOUND, ETAG_MISMATCH, EMAIL_TAKEN.
absl::StatusOr<users::v1::User> ChangeUser(WriteScope& scope, const UserUpdate& update,
                                           absl::Time now);

// Removes the row and all that was kept of it elsewhere, and leaves a tombstone. USER_NOT_FOUND,
// ETAG_MISMATCH.
absl::Status RemoveUser(WriteScope& scope, const UserRemoval& removal, absl::Time now);

}  // namespace userservice::store
