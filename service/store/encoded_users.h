// AppendUser, EncodeUser: a row of the table users, encoded straight to the wire: no message is
// built, and no value is copied but into its place.
//
//   EncodedUsers users;
//   while (...Step()) AppendUser(UserRow(row), users);
//   // users.bytes + SerializeAsString() of the response's other fields is the response.
//
// The bytes are those that protobuf gives for the user that ReadUser (user_row.h) reads, field by
// field in order of number (encoded_users_test). Threads: any.
#pragma once

#include "service/store/user_row.h"
#include "service/store/user_store.h"

namespace userservice::store {

void EncodeUser(const UserRow& row, EncodedUser& user);

void AppendUser(const UserRow& row, EncodedUsers& users);

}  // namespace userservice::store
