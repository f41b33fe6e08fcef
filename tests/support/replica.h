// Replica: the table as one who watches it knows it, and what every message has to fulfil.
//
//   Replica replica;
//   while (reader->Read(&message)) replica.Apply(message);
//   request.set_after_revision(replica.revision());   // to resume, then replica.Resume()
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "users/v1/user_service.pb.h"

namespace userservice {

class Replica {
 public:
  Replica() = default;
  // Of one who watches from `revision` on.
  explicit Replica(int64_t revision) : revision_(revision) {}

  void Apply(const users::v1::WatchUsersResponse& message) {
    EXPECT_GE(message.revision(), revision_) << "a bookmark went back";
    EXPECT_TRUE(message.synced() || !synced_) << "no longer synced";
    int64_t last = 0;
    for (const auto& change : message.changes()) {
      // Rows that no revision made are there at the beginning alone.
      const bool is_new = change.revision() > revision_ || (change.revision() == 0 && !synced_);
      EXPECT_TRUE(is_new) << change.revision() << " came after " << revision_ << ", again";
      EXPECT_GE(change.revision(), last) << "out of order";
      EXPECT_LE(change.revision(), message.revision()) << "past the bookmark";
      last = change.revision();
      if (change.has_user()) {
        EXPECT_EQ(change.user().etag(), absl::StrCat("\"", change.revision(), "\""));
        users_[change.user().user_id()] = change.user().SerializeAsString();
      } else {
        EXPECT_GT(change.removed_user_id(), 0);
        users_.erase(change.removed_user_id());
      }
    }
    revision_ = message.revision();
    synced_ = message.synced();
    changes_ += message.changes_size();
  }

  // A new stream begins where the last one ended.
  void Resume() { synced_ = false; }

  int64_t revision() const { return revision_; }
  bool synced() const { return synced_; }
  int64_t changes() const { return changes_; }
  // Serialized, by number.
  const std::map<int64_t, std::string>& users() const { return users_; }

 private:
  int64_t revision_ = 0;
  bool synced_ = false;
  int64_t changes_ = 0;
  std::map<int64_t, std::string> users_;
};

// What a replica of these users holds.
inline std::map<int64_t, std::string> AsReplica(const std::vector<users::v1::User>& users) {
  std::map<int64_t, std::string> by_number;
  for (const users::v1::User& user : users) by_number[user.user_id()] = user.SerializeAsString();
  return by_number;
}

}  // namespace userservice
