// What encoded users say.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "absl/status/statusor.h"
#include "service/store/user_store.h"
#include "users/v1/user_service.pb.h"

namespace userservice::store {

inline std::vector<users::v1::User> Decode(const EncodedUsers& encoded) {
  users::v1::BatchGetUsersResponse response;
  EXPECT_TRUE(response.ParseFromString(encoded.bytes));
  std::vector<users::v1::User> users(response.users().begin(), response.users().end());
  EXPECT_EQ(users.size(), encoded.count);
  return users;
}

inline users::v1::User Decode(const EncodedUser& encoded) {
  users::v1::User user;
  EXPECT_TRUE(user.ParseFromString(encoded.bytes));
  return user;
}

inline absl::StatusOr<users::v1::User> Decode(const absl::StatusOr<EncodedUser>& encoded) {
  if (!encoded.ok()) return encoded.status();
  return Decode(*encoded);
}

}  // namespace userservice::store
