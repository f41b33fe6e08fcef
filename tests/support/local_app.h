// LocalApp: the whole service in this process, with a database and a port of its own. Ends with the
// object.
//
//   Config config;
//   config.sample_users = true;
//   LocalApp app(config);
//   auto users = app.Users();                       // a stub on a connection of its own
//   grpc::ClientContext context;
//   SetDeadline(context);
//   grpc::Status status = users->GetUser(&context, request, &user);
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "service/app.h"
#include "service/config.h"
#include "tests/support/temporary_directory.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice {

// No call of a test waits for ever.
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout = absl::Seconds(60));

// A channel that shares no connection with others and retries nothing. `address` is HOST:PORT.
std::shared_ptr<grpc::Channel> OwnConnection(const std::string& address);

class LocalApp {
 public:
  // Address and database of `config` are set here.
  explicit LocalApp(const Config& config = Config());

  App& app() { return *app_; }
  std::string address() const;
  std::string database() const { return directory_.File("users.db"); }
  std::shared_ptr<grpc::Channel> Connect() const { return OwnConnection(address()); }
  std::unique_ptr<users::v1::UserService::Stub> Users() const {
    return users::v1::UserService::NewStub(Connect());
  }

  // Nothing is asked of the server: no call, lease, statement, write or watch. Waits for it a
  // while, since a call ends for the client before it has ended in the server.
  [[nodiscard]] bool IsIdle(absl::Duration limit = absl::Seconds(30)) const;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<App> app_;
};

}  // namespace userservice
