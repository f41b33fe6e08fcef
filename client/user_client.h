// UserClient: users.v1.UserService as coroutines. Each RPC is a Task that is awaited, alone or
// gathered with others.
//
//   #include "async/block_on.h"
//   #include "async/gather.h"
//   #include "client/user_client.h"
//
//   using namespace userservice;
//
//   Task<absl::Status> ShowTwo(UserClient& client) {
//     // Both RPCs are in flight at once; if one fails, the other is cancelled.
//     auto both = co_await Gather(client.GetUser(1), client.GetUser(2));
//     if (!both.ok()) co_return both.status();
//     const auto& [first, second] = *both;
//     std::cout << first.name() << " and " << second.name() << "\n";
//     co_return absl::OkStatus();
//   }
//
//   int main() {
//     auto client = UserClient::Connect("127.0.0.1:50051");
//     const absl::Status status = BlockOn(ShowTwo(*client));
//     if (!status.ok()) std::cerr << status << " " << ReasonOf(status) << "\n";
//     return status.ok() ? 0 : 1;
//   }
//
// Lazy: an RPC starts when its task is awaited or gathered. Arguments are copied, so they may be
//   temporaries.
// Errors: an absl::Status with the server's code, message and google.rpc details; client/status.h.
// Deadlines: every call has one, ClientOptions::deadline unless CallOptions says otherwise.
// Stop: a stop of the awaiting task cancels the RPC on the wire. The task still ends, soon, with
//   CANCELLED.
// Retries: what gRPC reports as UNAVAILABLE is repeated with backoff, by service config, for reads
//   and for writes that carry a request_id. A write without one is attempted once. Of the streams,
//   a watch goes on by itself.
// Threads: all methods may be called from any thread. A client has one thread of its own, on which
//   its completion queue runs; the code after a co_await goes on there, so it must not block, and
//   must not call BlockOn.
// Lifetime: the client outlives its tasks and streams. Its destructor waits for the calls in
//   flight.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/task.h"
#include "client/export_stream.h"
#include "client/options.h"
#include "client/request_id.h"
#include "client/status.h"
#include "client/watch_stream.h"
#include "users/v1/user.pb.h"
#include "users/v1/user_service.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace userservice {

namespace internal {
class Core;
}  // namespace internal

class UserClient {
 public:
  // Returns at once; the connection is made with the first call. `address` is HOST:PORT or any name
  // that gRPC resolves.
  static std::unique_ptr<UserClient> Connect(const std::string& address,
                                             const ClientOptions& options = ClientOptions());
  // Over a channel that was made elsewhere, whose own service config says what is retried: for
  // writes without a request_id nothing should be.
  static std::unique_ptr<UserClient> Connect(const std::shared_ptr<grpc::Channel>& channel,
                                             const ClientOptions& options = ClientOptions());
  ~UserClient();
  UserClient(const UserClient&) = delete;
  UserClient& operator=(const UserClient&) = delete;

  // Reads.
  Task<absl::StatusOr<users::v1::User>> GetUser(
      int64_t user_id, const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::User>> GetUser(
      const users::v1::GetUserRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::User>> LookupUser(
      const users::v1::LookupUserRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::ListUsersResponse>> ListUsers(
      const users::v1::ListUsersRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::BatchGetUsersResponse>> BatchGetUsers(
      const users::v1::BatchGetUsersRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::CountUsersResponse>> CountUsers(
      const users::v1::CountUsersRequest& request,
      const CallOptions& options = CallOptions::Default());

  // Writes.
  Task<absl::StatusOr<users::v1::User>> CreateUser(
      const users::v1::CreateUserRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::User>> UpdateUser(
      const users::v1::UpdateUserRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::Status> DeleteUser(const users::v1::DeleteUserRequest& request,
                                const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::BatchCreateUsersResponse>> BatchCreateUsers(
      const users::v1::BatchCreateUsersRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::StatusOr<users::v1::BatchUpdateUsersResponse>> BatchUpdateUsers(
      const users::v1::BatchUpdateUsersRequest& request,
      const CallOptions& options = CallOptions::Default());
  Task<absl::Status> BatchDeleteUsers(const users::v1::BatchDeleteUsersRequest& request,
                                      const CallOptions& options = CallOptions::Default());

  // Streams.
  ExportStream ExportUsers(const users::v1::ExportUsersRequest& request,
                           const CallOptions& options = CallOptions::Default());
  WatchStream WatchUsers(const users::v1::WatchUsersRequest& request,
                         const CallOptions& options = CallOptions::Default());

  // grpc.health.v1: whether the server serves `service`; "" asks for the server as a whole.
  Task<absl::StatusOr<bool>> Check(const std::string& service = "",
                                   const CallOptions& options = CallOptions::Default());

 private:
  explicit UserClient(internal::Core* core);

  internal::Core* const core_;
};

}  // namespace userservice
