#include "client/user_client.h"

#include <utility>

#include "client/call.h"
#include "client/channel.h"
#include "client/core.h"
#include "google/protobuf/empty.pb.h"

namespace userservice {

namespace v1 = users::v1;
using internal::CallUnary;
using internal::UserStub;

namespace {

// Writes go through the channel that retries only if a repeat is harmless.
template <class Request>
UserStub* StubForWrite(internal::Core& core, const Request& request) {
  return request.request_id().empty() ? &core.plain() : &core.retrying();
}

Task<absl::Status> StatusOnly(Task<absl::StatusOr<google::protobuf::Empty>> call) {
  const absl::StatusOr<google::protobuf::Empty> empty = co_await std::move(call);
  co_return empty.status();
}

Task<absl::StatusOr<bool>> IsServing(
    Task<absl::StatusOr<::grpc::health::v1::HealthCheckResponse>> call) {
  const absl::StatusOr<::grpc::health::v1::HealthCheckResponse> response = co_await std::move(call);
  if (!response.ok()) co_return response.status();
  co_return response->status() == ::grpc::health::v1::HealthCheckResponse::SERVING;
}

}  // namespace

std::unique_ptr<UserClient> UserClient::Connect(const std::string& address,
                                                const ClientOptions& options) {
  const auto retrying = internal::MakeChannel(address, options, internal::Retries::kEverything);
  const auto plain = internal::MakeChannel(address, options, internal::Retries::kNothing);
  return std::unique_ptr<UserClient>(new UserClient(new internal::Core(options, retrying, plain)));
}

std::unique_ptr<UserClient> UserClient::Connect(const std::shared_ptr<grpc::Channel>& channel,
                                                const ClientOptions& options) {
  return std::unique_ptr<UserClient>(new UserClient(new internal::Core(options, channel, channel)));
}

UserClient::UserClient(internal::Core* core) : core_(core) {}
UserClient::~UserClient() { internal::EndCore(core_); }

Task<absl::StatusOr<v1::User>> UserClient::GetUser(int64_t user_id, const CallOptions& options) {
  v1::GetUserRequest request;
  request.set_user_id(user_id);
  return GetUser(request, options);
}

Task<absl::StatusOr<v1::User>> UserClient::GetUser(const v1::GetUserRequest& request,
                                                   const CallOptions& options) {
  return CallUnary(core_, &core_->retrying(), &UserStub::PrepareAsyncGetUser, "GetUser", request,
                   options);
}

Task<absl::StatusOr<v1::User>> UserClient::LookupUser(const v1::LookupUserRequest& request,
                                                      const CallOptions& options) {
  return CallUnary(core_, &core_->retrying(), &UserStub::PrepareAsyncLookupUser, "LookupUser",
                   request, options);
}

Task<absl::StatusOr<v1::ListUsersResponse>> UserClient::ListUsers(
    const v1::ListUsersRequest& request, const CallOptions& options) {
  return CallUnary(core_, &core_->retrying(), &UserStub::PrepareAsyncListUsers, "ListUsers",
                   request, options);
}

Task<absl::StatusOr<v1::BatchGetUsersResponse>> UserClient::BatchGetUsers(
    const v1::BatchGetUsersRequest& request, const CallOptions& options) {
  return CallUnary(core_, &core_->retrying(), &UserStub::PrepareAsyncBatchGetUsers, "BatchGetUsers",
                   request, options);
}

Task<absl::StatusOr<v1::CountUsersResponse>> UserClient::CountUsers(
    const v1::CountUsersRequest& request, const CallOptions& options) {
  return CallUnary(core_, &core_->retrying(), &UserStub::PrepareAsyncCountUsers, "CountUsers",
                   request, options);
}

Task<absl::StatusOr<v1::User>> UserClient::CreateUser(const v1::CreateUserRequest& request,
                                                      const CallOptions& options) {
  return CallUnary(core_, StubForWrite(*core_, request), &UserStub::PrepareAsyncCreateUser,
                   "CreateUser", request, options);
}

Task<absl::StatusOr<v1::User>> UserClient::UpdateUser(const v1::UpdateUserRequest& request,
                                                      const CallOptions& options) {
  return CallUnary(core_, StubForWrite(*core_, request), &UserStub::PrepareAsyncUpdateUser,
                   "UpdateUser", request, options);
}

Task<absl::Status> UserClient::DeleteUser(const v1::DeleteUserRequest& request,
                                          const CallOptions& options) {
  return StatusOnly(CallUnary(core_, StubForWrite(*core_, request),
                              &UserStub::PrepareAsyncDeleteUser, "DeleteUser", request, options));
}

Task<absl::StatusOr<v1::BatchCreateUsersResponse>> UserClient::BatchCreateUsers(
    const v1::BatchCreateUsersRequest& request, const CallOptions& options) {
  return CallUnary(core_, StubForWrite(*core_, request), &UserStub::PrepareAsyncBatchCreateUsers,
                   "BatchCreateUsers", request, options);
}

Task<absl::StatusOr<v1::BatchUpdateUsersResponse>> UserClient::BatchUpdateUsers(
    const v1::BatchUpdateUsersRequest& request, const CallOptions& options) {
  return CallUnary(core_, StubForWrite(*core_, request), &UserStub::PrepareAsyncBatchUpdateUsers,
                   "BatchUpdateUsers", request, options);
}

Task<absl::Status> UserClient::BatchDeleteUsers(const v1::BatchDeleteUsersRequest& request,
                                                const CallOptions& options) {
  return StatusOnly(CallUnary(core_, StubForWrite(*core_, request),
                              &UserStub::PrepareAsyncBatchDeleteUsers, "BatchDeleteUsers", request,
                              options));
}

ExportStream UserClient::ExportUsers(const v1::ExportUsersRequest& request,
                                     const CallOptions& options) {
  return {core_, request, options};
}

WatchStream UserClient::WatchUsers(const v1::WatchUsersRequest& request,
                                   const CallOptions& options) {
  return {core_, request, options};
}

Task<absl::StatusOr<bool>> UserClient::Check(const std::string& service,
                                             const CallOptions& options) {
  ::grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  return IsServing(CallUnary(core_, &core_->health(), &internal::HealthStub::PrepareAsyncCheck,
                             "Check", request, options));
}

}  // namespace userservice
