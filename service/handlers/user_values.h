// The rules for the values of a user that a request writes: name, email and age.
// Source: users/v1/user.proto.
//
//   UserValues values;
//   user.set_name(values.Name("user.name", request.user().name()));  // or notes a violation
//   const absl::Status valid = values.status();                      // all that were noted
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "service/errors/errors.h"
#include "users/v1/user.pb.h"

namespace userservice::handlers {

// Collects every violation of a request, so that they are reported at once.
class UserValues {
 public:
  // The name without the white space around it.
  std::string Name(std::string_view path, std::string_view name);
  // The address in lower case.
  std::string Email(std::string_view path, std::string_view email);
  int32_t Age(std::string_view path, int32_t age);
  // Anything else that is wrong; see errors::FieldViolation for what `description` is.
  void Note(std::string_view path, std::string_view description);

  // OK, or FIELD_INVALID with all that was noted.
  absl::Status status() const;

 private:
  std::vector<errors::FieldViolation> violations_;
};

// The user that is stored for what a client sent. `item` is what stands before "user" in the paths
// of its fields: "", or "requests[3]." in a batch.
users::v1::User NewUserOf(const users::v1::User& sent, std::string_view item, UserValues& values);

}  // namespace userservice::handlers
