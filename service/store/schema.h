// The schema of the users database, and how an older one becomes today's.
//
// Version 0 is an empty file; 1 is the table that Python programs made (they leave user_version at
// 0); 2 adds what the contract needs: updated_at, revision, tombstones, request ids and the
// service's own state; 3 has an index for each field that users are listed and filtered by.
//
//   absl::StatusOr<int> version = ReadSchemaVersion(connection);
//   absl::Status migrated = MigrateSchema(connection, *version);   // inside a transaction
//   if (migrated.ok()) migrated = EnsureIndexes(connection);       // the same
//
// Errors say what is wrong with the database, as the end of a sentence about it; database.h names
// the file.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/sqlite/connection.h"

namespace userservice::store {

inline constexpr int kSchemaVersion = 3;

// The keys of the table service_state.
inline constexpr char kPageTokenKeyState[] = "page_token_key";           // 32 random bytes
inline constexpr char kCompactedRevisionState[] = "compacted_revision";  // an integer, 0 at first

// Which version the database holds: 0 if it has no table at all. kFailedPrecondition if it is newer
// than kSchemaVersion, or not of the shape that its version has.
absl::StatusOr<int> ReadSchemaVersion(sqlite::Connection& connection);

// kFailedPrecondition if rows of an older table keep it from being upgraded: e-mails that differ in
// case alone, or in that one is text and the other is bytes.
absl::Status CheckUpgradable(sqlite::Connection& connection);

// Brings a database of `version` to kSchemaVersion, but for the indexes that EnsureIndexes makes.
// Inside a transaction of the caller's.
absl::Status MigrateSchema(sqlite::Connection& connection, int version);

// Makes the indexes of field_sql.h, as far as they are missing or another program made them
// differently: statements name them, and would fail without. Best after rows were added: to sort
// many at once is quicker. Inside a transaction of the caller's.
absl::Status EnsureIndexes(sqlite::Connection& connection);

}  // namespace userservice::store
