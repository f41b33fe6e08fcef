// UnfaithfulServer: stands in front of a real users.v1.UserService and hands every call on, but
// breaks one rule of the contract: whoever checks the contract must notice.
//
//   UnfaithfulServer server(app.address(), Fault::kIgnoresPageSize);
//
// Calls of other services are not handed on.
// Threads: all members may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "grpcpp/server.h"

namespace userservice::testing {

enum class Fault {
  kNone,
  kIgnoresPageSize,      // every page is asked for with 0
  kTakenIsNotFound,      // EMAIL_TAKEN goes out with the reason USER_NOT_FOUND
  kNoDetailsOfGet,       // GetUser's errors have no details
  kRunsRepeatedCreates,  // a request_id that CreateUser has seen is replaced by a new one
  kIgnoresEtags,         // of UpdateUser and DeleteUser
  kAbsentAgeIsZero,      // in what CreateUser and GetUser answer
  kExportsFromTheStart,  // resume tokens are dropped
  kDeletesNothing,       // DeleteUser and BatchDeleteUsers are UNAVAILABLE
};

class UnfaithfulServer {
 public:
  UnfaithfulServer(const std::string& target, Fault fault);
  ~UnfaithfulServer();

  const std::string& address() const { return address_; }

 private:
  class Service;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace userservice::testing
