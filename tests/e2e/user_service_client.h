// UserServiceClient: one blocking call a line, for tests that look at the answer and the status.
//
//   UserServiceClient users(app.Connect());
//   users::v1::User ann = users.Create("Ann", "ann@example.com", 41);
//   grpc::Status status = users.Call(&Stub::GetUser, request, &response);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "tests/support/local_app.h"
#include "tests/support/rpc_error.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice {

using Stub = users::v1::UserService::Stub;

class UserServiceClient {
 public:
  explicit UserServiceClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(users::v1::UserService::NewStub(channel)) {}

  template <class Req, class Resp>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Resp*),
                    const Req& request, Resp* response) {
    grpc::ClientContext context;
    SetDeadline(context);
    return (stub_.get()->*method)(&context, request, response);
  }

  // The status alone.
  template <class Req, class Resp>
  grpc::Status Try(grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Resp*),
                   const Req& request) {
    Resp response;
    return Call(method, request, &response);
  }

  users::v1::User Create(const std::string& name, const std::string& email,
                         std::optional<int32_t> age = std::nullopt) {
    users::v1::CreateUserRequest request;
    request.mutable_user()->set_name(name);
    request.mutable_user()->set_email(email);
    if (age.has_value()) request.mutable_user()->set_age(*age);
    users::v1::User created;
    const grpc::Status status = Call(&Stub::CreateUser, request, &created);
    EXPECT_EQ(Outcome(status), "OK") << status.error_message();
    return created;
  }

  // Every page of a list.
  std::vector<users::v1::User> ListAll(users::v1::ListUsersRequest request) {
    std::vector<users::v1::User> users;
    do {
      users::v1::ListUsersResponse page;
      const grpc::Status status = Call(&Stub::ListUsers, request, &page);
      EXPECT_EQ(Outcome(status), "OK") << status.error_message();
      users.insert(users.end(), page.users().begin(), page.users().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return users;
  }

  // Every chunk of an export, to its end.
  grpc::Status Export(const users::v1::ExportUsersRequest& request,
                      std::vector<users::v1::ExportUsersResponse>* chunks) {
    grpc::ClientContext context;
    SetDeadline(context);
    const auto reader = stub_->ExportUsers(&context, request);
    for (users::v1::ExportUsersResponse chunk; reader->Read(&chunk);) chunks->push_back(chunk);
    return reader->Finish();
  }

  Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<Stub> stub_;
};

}  // namespace userservice
