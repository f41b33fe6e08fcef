#include "service/store/user_writes.h"

#include <array>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/sqlite/query_scope.h"
#include "service/store/request_log.h"
#include "service/store/storage_error.h"
#include "service/store/stored_time.h"
#include "service/store/user_row.h"

namespace userservice::store {
namespace {

constexpr char kInsertUser[] =
    "INSERT INTO users (name, email, age, created_at, updated_at, revision) VALUES (?, ?, ?, ?, ?, "
    "?)";

constexpr char kSelectUserRevision[] = "SELECT revision FROM users WHERE user_id = ?";

constexpr char kDeleteUser[] = "DELETE FROM users WHERE user_id = ?";

// Another program may have created a user anew under the number of one that was deleted.
constexpr char kInsertTombstone[] =
    "INSERT OR REPLACE INTO tombstones (user_id, revision, deleted_at) VALUES (?, ?, ?)";

// A column that does not change is not named: a value that an older program wrote, and that today's
// checks would refuse, stays as it is.
enum ChangedColumns : unsigned { kNameChanged = 1, kEmailChanged = 2, kAgeChanged = 4 };

const std::string& UpdateSql(unsigned columns) {
  static const auto* const texts = [] {
    auto* const all = new std::array<std::string, 8>;
    for (unsigned set = 0; set < all->size(); ++set) {
      (*all)[set] = absl::StrCat("UPDATE users SET ", (set & kNameChanged) != 0 ? "name = ?, " : "",
                                 (set & kEmailChanged) != 0 ? "email = ?, " : "",
                                 (set & kAgeChanged) != 0 ? "age = ?, " : "",
                                 "updated_at = ?, revision = ? WHERE user_id = ?");
    }
    return all;
  }();
  return (*texts)[columns];
}

std::optional<int32_t> AgeOf(const users::v1::User& user) {
  return user.has_age() ? std::optional<int32_t>(user.age()) : std::nullopt;
}

unsigned ColumnsThatDiffer(const UserUpdate& update, const users::v1::User& stored) {
  unsigned columns = 0;
  if (update.set_name && update.values.name() != stored.name()) columns |= kNameChanged;
  if (update.set_email && update.values.email() != stored.email()) columns |= kEmailChanged;
  if (update.set_age && AgeOf(update.values) != AgeOf(stored)) columns |= kAgeChanged;
  return columns;
}

absl::Status UpdateRow(WriteScope& scope, const UserUpdate& update, unsigned columns,
                       absl::Time now) {
  sqlite::QueryScope row(scope.connection(), UpdateSql(columns), scope.limits());
  int index = 0;
  if ((columns & kNameChanged) != 0) row.BindAt(++index, update.values.name());
  if ((columns & kEmailChanged) != 0) row.BindAt(++index, update.values.email());
  if ((columns & kAgeChanged) != 0) row.BindAt(++index, AgeOf(update.values));
  row.BindAt(++index, FormatStoredTime(now));
  row.BindAt(++index, scope.TakeRevision());
  row.BindAt(++index, update.values.user_id());
  const absl::Status status = row.Run();
  if (absl::IsAlreadyExists(status)) return errors::EmailTaken(update.values.email());
  return StorageError(status);
}

// The table keeps microseconds: what is answered is what will be read.
absl::Time ToMicroseconds(absl::Time time) {
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

}  // namespace

absl::Status InsertRow(WriteScope& scope, const users::v1::User& user, std::string_view time) {
  sqlite::QueryScope row(scope.connection(), kInsertUser, scope.limits());
  const sqlite::StaticText bound_time(time);
  row.Bind(sqlite::StaticText(user.name()), sqlite::StaticText(user.email()), AgeOf(user),
           bound_time, bound_time, scope.next_revision());
  const absl::Status status = row.Run();
  if (absl::IsAlreadyExists(status)) return errors::EmailTaken(user.email());
  if (!status.ok()) return StorageError(status);
  scope.TakeRevision();
  return absl::OkStatus();
}

absl::StatusOr<users::v1::User> InsertUser(WriteScope& scope, const users::v1::User& user,
                                           absl::Time now) {
  now = ToMicroseconds(now);
  const absl::Status inserted = InsertRow(scope, user, FormatStoredTime(now));
  if (!inserted.ok()) return inserted;
  users::v1::User stored;
  stored.set_user_id(scope.connection().last_insert_rowid());
  stored.set_name(user.name());
  stored.set_email(user.email());
  if (user.has_age()) stored.set_age(user.age());
  SetTimestamp(absl::ToUnixMicros(now), *stored.mutable_create_time());
  SetTimestamp(absl::ToUnixMicros(now), *stored.mutable_update_time());
  stored.set_etag(EtagOf(scope.next_revision()));
  return stored;
}

absl::StatusOr<users::v1::User> ChangeUser(WriteScope& scope, const UserUpdate& update,
                                           absl::Time now) {
  const users::v1::User& values = update.values;
  users::v1::User user;
  {
    sqlite::QueryScope row(scope.connection(), kSelectUser, scope.limits());
    row.Bind(values.user_id());
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return errors::UserNotFound(values.user_id());
    ReadUser(row, user);
  }
  if (!values.etag().empty() && values.etag() != user.etag())
    return errors::EtagMismatch(values.user_id());

  const unsigned columns = ColumnsThatDiffer(update, user);
  if (columns == 0) return user;
  now = ToMicroseconds(now);
  if (absl::Status status = UpdateRow(scope, update, columns, now); !status.ok()) return status;
  if ((columns & kNameChanged) != 0) user.set_name(values.name());
  if ((columns & kEmailChanged) != 0) user.set_email(values.email());
  if ((columns & kAgeChanged) != 0) {
    user.clear_age();
    if (values.has_age()) user.set_age(values.age());
  }
  SetTimestamp(absl::ToUnixMicros(now), *user.mutable_update_time());
  user.set_etag(EtagOf(scope.TakeRevision()));
  return user;
}

absl::Status RemoveUser(WriteScope& scope, const UserRemoval& removal, absl::Time now) {
  const int64_t user_id = removal.user_id;
  {
    sqlite::QueryScope row(scope.connection(), kSelectUserRevision, scope.limits());
    row.Bind(user_id);
    const absl::StatusOr<bool> found = row.Step();
    if (!found.ok()) return StorageError(found.status());
    if (!*found) return removal.allow_missing ? absl::OkStatus() : errors::UserNotFound(user_id);
    if (!removal.etag.empty() && removal.etag != EtagOf(row.Int64(0)))
      return errors::EtagMismatch(user_id);
  }
  {
    sqlite::QueryScope row(scope.connection(), kDeleteUser, scope.limits());
    if (absl::Status status = row.Bind(user_id).Run(); !status.ok()) return StorageError(status);
  }
  sqlite::QueryScope tombstone(scope.connection(), kInsertTombstone, scope.limits());
  tombstone.Bind(user_id, scope.TakeRevision(), FormatStoredTime(now));
  if (absl::Status status = tombstone.Run(); !status.ok()) return StorageError(status);
  scope.EraseFromLog();
  return EraseResponses(scope, user_id);
}

}  // namespace userservice::store
