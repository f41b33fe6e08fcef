// The reads of SqliteUserStore.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/sqlite/query_scope.h"
#include "service/store/change_stream.h"
#include "service/store/encoded_users.h"
#include "service/store/field_sql.h"
#include "service/store/sqlite_user_store.h"
#include "service/store/storage_error.h"
#include "service/store/user_batch.h"
#include "service/store/user_row.h"
#include "service/store/user_scan.h"

namespace userservice::store {
namespace {

// A batch of so many is short enough for a point reader: 0.2 ms, of which the way to another thread
// and back would be 0.04.
constexpr size_t kPointBatchMax = 100;
// A page of so many is shorter yet, if each row that it looks at is one of its users.
constexpr int32_t kPointPageMax = 100;

bool IsShort(const PageQuery& query) {
  const std::vector<OrderBy::Key>& keys = query.order_by.keys();
  return query.page_size <= kPointPageMax && query.filter.root() == nullptr &&
         keys.front().field == UserField::kUserId;
}

// By the index on e-mails.
const std::string& SelectUserByEmail() {
  static const auto* const sql = new std::string(
      absl::StrCat("SELECT ", kUserColumns, " FROM users", IndexedBySql(UserField::kEmail),
                   " WHERE ", ValueSql(UserField::kEmail), " = ?"));
  return *sql;
}

// False if there is no such row. `key` is what the statement looks for.
template <class Key>
absl::StatusOr<bool> FindUser(sqlite::Connection& connection, const sqlite::QueryLimits& limits,
                              std::string_view sql, const Key& key, EncodedUser& user) {
  sqlite::QueryScope row(connection, sql, limits);
  row.Bind(key);
  const absl::StatusOr<bool> found = row.Step();
  if (!found.ok()) return StorageError(found.status());
  if (*found) EncodeUser(UserRow(row), user);
  return *found;
}

}  // namespace

Task<absl::StatusOr<EncodedUser>> SqliteUserStore::GetUser(CallContext context, int64_t user_id) {
  auto get = [user_id](sqlite::Connection& connection,
                       const sqlite::QueryLimits& limits) -> absl::StatusOr<EncodedUser> {
    absl::StatusOr<EncodedUser> user = EncodedUser();
    const absl::StatusOr<bool> found = FindUser(connection, limits, kSelectUser, user_id, *user);
    if (!found.ok()) return found.status();
    if (!*found) return errors::UserNotFound(user_id);
    return user;
  };
  return points_->ReadPoint(context, writer_->committed(), get);
}

Task<absl::StatusOr<EncodedUser>> SqliteUserStore::LookupUser(CallContext context,
                                                              std::string email) {
  auto look_up = [email = std::move(email)](
                     sqlite::Connection& connection,
                     const sqlite::QueryLimits& limits) -> absl::StatusOr<EncodedUser> {
    absl::StatusOr<EncodedUser> user = EncodedUser();
    const absl::StatusOr<bool> found =
        FindUser(connection, limits, SelectUserByEmail(), email, *user);
    if (!found.ok()) return found.status();
    if (!*found) return errors::UserNotFoundByEmail(email);
    return user;
  };
  return points_->ReadPoint(context, writer_->committed(), std::move(look_up));
}

Task<absl::StatusOr<EncodedUsers>> SqliteUserStore::BatchGetUsers(CallContext context,
                                                                  std::vector<int64_t> user_ids) {
  const bool is_short = user_ids.size() <= kPointBatchMax;
  auto get_all = [user_ids = std::move(user_ids)](sqlite::Connection& connection,
                                                  const sqlite::QueryLimits& limits) {
    return ReadBatch(connection, limits, user_ids);
  };
  if (is_short) return points_->ReadPoint(context, writer_->committed(), std::move(get_all));
  return scans_->Read(context, writer_->committed(), std::move(get_all));
}

Task<absl::StatusOr<UserPage>> SqliteUserStore::ListUsers(CallContext context,
                                                          const PageQuery& query) {
  auto read_page = [this, &query](sqlite::Connection& connection,
                                  const sqlite::QueryLimits& limits) {
    return ReadPage(connection, limits, query, options_.rows_examined_max);
  };
  if (IsShort(query)) return points_->ReadPoint(context, writer_->committed(), read_page);
  return scans_->Read(context, writer_->committed(), read_page);
}

// A revision that this process has not announced yet may have been read from the table already.
Task<absl::StatusOr<std::unique_ptr<ChangeStream>>> SqliteUserStore::WatchUsers(
    CallContext context, Filter filter, std::optional<int64_t> after_revision) {
  if (after_revision.value_or(0) > writer_->committed().value()) {
    auto read_newest = [](sqlite::Connection& connection, const sqlite::QueryLimits& limits) {
      return ReadRevision(connection, limits);
    };
    const absl::StatusOr<int64_t> newest =
        co_await watches_->Read(context, writer_->committed(), read_newest);
    if (!newest.ok()) co_return newest.status();
    if (*after_revision > *newest) co_return errors::RevisionInFuture(*after_revision, *newest);
  }
  const int64_t committed = writer_->committed().value();
  const ChangePosition begin =
      after_revision == 0 ? ChangePosition::BeforeAll(committed)
                          : ChangePosition::AfterRevision(after_revision.value_or(committed));
  co_return std::make_unique<SqliteChangeStream>(context, std::move(filter), begin, committed,
                                                 *feed_, *watches_, writer_->committed());
}

Task<absl::StatusOr<UserCount>> SqliteUserStore::CountUsers(CallContext context,
                                                            const Filter& filter) {
  auto count = [&filter](sqlite::Connection& connection, const sqlite::QueryLimits& limits) {
    return ReadCount(connection, limits, filter);
  };
  return scans_->Read(context, writer_->committed(), count);
}

}  // namespace userservice::store
