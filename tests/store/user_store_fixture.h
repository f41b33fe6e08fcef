// UserStoreTest: a SqliteUserStore over a file of its own, its operations called from outside of
// coroutines, and after each test a look whether anything is still open.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "service/errors/errors.h"
#include "service/store/sqlite_user_store.h"
#include "tests/store/decoded_users.h"
#include "tests/store/temp_database.h"

namespace userservice::store {

inline std::string ReasonOf(const absl::Status& status) {
  return status.ok() ? "OK" : errors::ReasonOf(status);
}

inline users::v1::User MakeUser(const std::string& name, const std::string& email,
                                std::optional<int> age = {}) {
  users::v1::User user;
  user.set_name(name);
  user.set_email(email);
  if (age.has_value()) user.set_age(*age);
  return user;
}

inline absl::StatusOr<users::v1::User> OnlyOf(
    const absl::StatusOr<std::vector<users::v1::User>>& users) {
  if (!users.ok()) return users.status();
  EXPECT_EQ(users->size(), 1u);
  return users->front();
}

inline WriteOptions WithRequestId(const std::string& request_id,
                                  const std::string& fingerprint = "f") {
  WriteOptions options;
  options.request_id = request_id;
  options.fingerprint = fingerprint;
  return options;
}

inline WriteOptions ValidateOnly() {
  WriteOptions options;
  options.validate_only = true;
  return options;
}

class UserStoreTest : public ::testing::Test {
 protected:
  UserStoreTest() : options_(database_.path()) {
    options_.clock = [this] { return now_; };
  }

  void TearDown() override {
    if (store_ != nullptr) ExpectNothingOpen();
  }

  SqliteUserStore& store() {
    if (store_ == nullptr) {
      absl::StatusOr<std::unique_ptr<SqliteUserStore>> opened = SqliteUserStore::Open(options_);
      EXPECT_TRUE(opened.ok()) << opened.status();
      store_ = *std::move(opened);
    }
    return *store_;
  }
  void Reopen() { store_.reset(); }

  void ExpectNothingOpen() {
    const UserStore::OpenResources open = store().open_resources();
    EXPECT_EQ(open.leases, 0u);
    EXPECT_EQ(open.statements, 0u);
    EXPECT_EQ(open.writes, 0u);
    EXPECT_EQ(open.watches, 0u);
  }

  absl::StatusOr<users::v1::User> Create(const users::v1::User& user,
                                         const WriteOptions& options = WriteOptions()) {
    return OnlyOf(CreateAll({user}, options));
  }
  absl::StatusOr<users::v1::User> Update(const UserUpdate& update,
                                         const WriteOptions& options = WriteOptions()) {
    return OnlyOf(UpdateAll({update}, options));
  }
  absl::Status Delete(int64_t user_id, const std::string& etag = "", bool allow_missing = false,
                      const WriteOptions& options = WriteOptions()) {
    return DeleteAll({{user_id, etag, allow_missing}}, options);
  }
  absl::StatusOr<std::vector<users::v1::User>> CreateAll(
      const std::vector<users::v1::User>& users, const WriteOptions& options = WriteOptions()) {
    return BlockOn(store().CreateUsers(CallContext(), users, options));
  }
  absl::StatusOr<std::vector<users::v1::User>> UpdateAll(
      const std::vector<UserUpdate>& updates, const WriteOptions& options = WriteOptions()) {
    return BlockOn(store().UpdateUsers(CallContext(), updates, options));
  }
  absl::Status DeleteAll(const std::vector<UserRemoval>& removals,
                         const WriteOptions& options = WriteOptions()) {
    return BlockOn(store().DeleteUsers(CallContext(), removals, options));
  }
  absl::StatusOr<UserImport> Import(const std::vector<users::v1::User>& users,
                                    const WriteOptions& options = WriteOptions()) {
    return BlockOn(store().ImportUsers(CallContext(), users, options));
  }
  absl::StatusOr<users::v1::User> Get(int64_t user_id) {
    return Decode(BlockOn(store().GetUser(CallContext(), user_id)));
  }
  absl::StatusOr<users::v1::User> Lookup(const std::string& email) {
    return Decode(BlockOn(store().LookupUser(CallContext(), email)));
  }
  absl::StatusOr<std::vector<users::v1::User>> BatchGet(const std::vector<int64_t>& user_ids) {
    const absl::StatusOr<EncodedUsers> users =
        BlockOn(store().BatchGetUsers(CallContext(), user_ids));
    if (!users.ok()) return users.status();
    return Decode(*users);
  }
  int64_t Count(const std::string& filter = "") {
    const absl::StatusOr<Filter> parsed = Filter::Parse(filter);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    const absl::StatusOr<UserCount> count = BlockOn(store().CountUsers(CallContext(), *parsed));
    EXPECT_TRUE(count.ok()) << count.status();
    return count.ok() ? count->count : -1;
  }

  static PageQuery Query(const std::string& filter, const std::string& order_by = "",
                         int page_size = 1000) {
    PageQuery query;
    query.filter = *Filter::Parse(filter);
    query.order_by = *OrderBy::Parse(order_by);
    query.page_size = page_size;
    return query;
  }
  // The users of all pages, in order; `pages` counts them.
  std::vector<users::v1::User> List(PageQuery query, int* pages = nullptr) {
    std::vector<users::v1::User> users;
    for (int page_number = 1;; ++page_number) {
      const absl::StatusOr<UserPage> page = BlockOn(store().ListUsers(CallContext(), query));
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return users;
      EXPECT_LE(page->users.count, static_cast<size_t>(query.page_size));
      for (users::v1::User& user : Decode(page->users)) users.push_back(std::move(user));
      if (pages != nullptr) *pages = page_number;
      query.after = page->next;
      if (!page->next.has_value()) return users;
      EXPECT_LT(page_number, 10'000) << "the list never ends";
      if (page_number >= 10'000) return users;
    }
  }
  std::vector<int64_t> ListIds(const PageQuery& query, int* pages = nullptr) {
    std::vector<int64_t> ids;
    for (const users::v1::User& user : List(query, pages)) ids.push_back(user.user_id());
    return ids;
  }

  TempDatabase database_;
  absl::Time now_ = absl::FromUnixMicros(1'714'564'800'123'456);
  SqliteStoreOptions options_;
  std::unique_ptr<SqliteUserStore> store_;
};

}  // namespace userservice::store
