// What encoded users say.
#pragma once

#include <gtest/gtest.h>

#include <vector>

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

}  // namespace userservice::store
