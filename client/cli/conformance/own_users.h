// OwnUsers: the users that one rule makes on a server that may hold anybody's, and their removal.
//
// Every address that a rule uses is adopted here before it is sent, and holds the domain of its
// run, which is random: nobody else has it. Removing looks each address up by the unique index,
// so it costs nothing for the users of others, and deletes only what has an adopted address.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::cli::conformance {

class OwnUsers {
 public:
  explicit OwnUsers(std::string domain) : domain_(std::move(domain)) {}

  const std::string& domain() const { return domain_; }

  // Takes charge of whoever will have this address; gives it back.
  std::string Adopt(const std::string& email);
  // This user has been stored: no look-up is needed to find it.
  void Know(const users::v1::User& user);

  // A filter for those that are known: their domain, and the range of their numbers, which spares
  // the server the users of others.
  std::string Filter() const;

  // Deletes them, whatever has been asked to stop. "" if none is left, else how many are and why.
  std::string Remove(users::v1::UserService::Stub& users, absl::Duration timeout);

 private:
  using Stub = users::v1::UserService::Stub;

  bool IsOwn(const users::v1::User& user) const;
  std::vector<int64_t> Find(Stub& users, absl::Duration timeout, std::string& problem) const;
  // All at once, if all are there.
  bool RemoveTogether(Stub& users, absl::Duration timeout, const std::vector<int64_t>& ids) const;
  bool RemoveOne(Stub& users, absl::Duration timeout, int64_t user_id, std::string& problem) const;

  const std::string domain_;
  std::map<std::string, int64_t> adopted_;  // in lower case; the number, or 0 if it is not known
};

}  // namespace userservice::cli::conformance
