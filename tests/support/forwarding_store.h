// ForwardingStore: a store that hands every call on to another one. A test overrides what it wants
// to go wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/store/user_store.h"

namespace userservice {

class ForwardingStore : public store::UserStore {
 public:
  explicit ForwardingStore(std::unique_ptr<store::UserStore> target) : target_(std::move(target)) {}

  Task<absl::StatusOr<store::EncodedUser>> GetUser(store::CallContext context,
                                                   int64_t user_id) override {
    return target_->GetUser(context, user_id);
  }
  Task<absl::StatusOr<store::EncodedUser>> LookupUser(store::CallContext context,
                                                      std::string email) override {
    return target_->LookupUser(context, std::move(email));
  }
  Task<absl::StatusOr<store::EncodedUsers>> BatchGetUsers(store::CallContext context,
                                                          std::vector<int64_t> user_ids) override {
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
  Task<absl::StatusOr<std::unique_ptr<store::ChangeStream>>> WatchUsers(
      store::CallContext context, store::Filter filter,
      std::optional<int64_t> after_revision) override {
    return target_->WatchUsers(context, std::move(filter), after_revision);
  }
  Task<absl::StatusOr<std::vector<users::v1::User>>> CreateUsers(
      store::CallContext context, const std::vector<users::v1::User>& users,
      const store::WriteOptions& options) override {
    return target_->CreateUsers(context, users, options);
  }
  Task<absl::StatusOr<std::vector<users::v1::User>>> UpdateUsers(
      store::CallContext context, const std::vector<store::UserUpdate>& updates,
      const store::WriteOptions& options) override {
    return target_->UpdateUsers(context, updates, options);
  }
  Task<absl::Status> DeleteUsers(store::CallContext context,
                                 const std::vector<store::UserRemoval>& removals,
                                 const store::WriteOptions& options) override {
    return target_->DeleteUsers(context, removals, options);
  }
  Task<absl::StatusOr<store::UserImport>> ImportUsers(store::CallContext context,
                                                      const std::vector<users::v1::User>& users,
                                                      const store::WriteOptions& options) override {
    return target_->ImportUsers(context, users, options);
  }
  const store::PageTokenCodec& page_tokens() const override { return target_->page_tokens(); }
  OpenResources open_resources() const override { return target_->open_resources(); }

 private:
  const std::unique_ptr<store::UserStore> target_;
};

}  // namespace userservice
