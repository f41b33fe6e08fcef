// ForwardingStore: a store that hands every call on to another one. A test overrides what it wants
// to go wrong.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/store/user_store.h"

namespace userservice {

class ForwardingStore : public store::UserStore {
 public:
  explicit ForwardingStore(std::unique_ptr<store::UserStore> target) : target_(std::move(target)) {}

  Task<absl::StatusOr<users::v1::User>> GetUser(store::CallContext context,
                                                int64_t user_id) override {
    return target_->GetUser(context, user_id);
  }
  Task<absl::StatusOr<users::v1::User>> LookupUser(store::CallContext context,
                                                   std::string email) override {
    return target_->LookupUser(context, std::move(email));
  }
  Task<absl::StatusOr<std::vector<users::v1::User>>> BatchGetUsers(
      store::CallContext context, std::vector<int64_t> user_ids) override {
    return target_->BatchGetUsers(context, std::move(user_ids));
  }
  Task<absl::StatusOr<store::UserPage>> ListUsers(store::CallContext context,
                                                  const store::PageQuery& query) override {
    return target_->ListUsers(context, query);
  }
  Task<absl::StatusOr<store::UserCount>> CountUsers(store::CallContext context,
                                                    const store::Filter& filter) override {
    return target_->CountUsers(context, filter);
  }
  Task<absl::StatusOr<users::v1::User>> CreateUser(store::CallContext context,
                                                   const users::v1::User& user,
                                                   const store::WriteOptions& options) override {
    return target_->CreateUser(context, user, options);
  }
  Task<absl::StatusOr<users::v1::User>> UpdateUser(store::CallContext context,
                                                   const store::UserUpdate& update,
                                                   const store::WriteOptions& options) override {
    return target_->UpdateUser(context, update, options);
  }
  Task<absl::Status> DeleteUser(store::CallContext context, int64_t user_id,
                                const std::string& etag, bool allow_missing,
                                const store::WriteOptions& options) override {
    return target_->DeleteUser(context, user_id, etag, allow_missing, options);
  }
  const store::PageTokenCodec& page_tokens() const override { return target_->page_tokens(); }
  OpenResources open_resources() const override { return target_->open_resources(); }

 private:
  const std::unique_ptr<store::UserStore> target_;
};

}  // namespace userservice
