#include "service/user_service.h"

#include <memory>
#include <utility>

#include "service/handlers/handlers.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice {
namespace {

using users::v1::UserService;
template <class Base>
using WithEncodedReads = UserService::WithRawMethod_GetUser<
    UserService::WithRawMethod_LookupUser<UserService::WithRawMethod_BatchGetUsers<
        UserService::WithRawMethod_ListUsers<UserService::WithRawMethod_ExportUsers<Base>>>>>;
using Service = WithEncodedReads<UserService::WithRawMethod_ImportUsers<
    UserService::WithRawMethod_WatchUsers<UserService::AsyncService>>>;
using rpc::Call;

// A handler as rpc wants it: the store is bound.
template <class Resp, class Req>
auto Bind(Task<absl::StatusOr<Resp>> (*handler)(Call&, const Req&, store::UserStore&),
          store::UserStore& store) {
  return
      [handler, &store](Call& call, const Req& request) { return handler(call, request, store); };
}

void AddReads(rpc::Server& server, Service& service, store::UserStore& store) {
  server.AddEncodedUnary<users::v1::GetUserRequest, users::v1::User>(
      "GetUser", service, &Service::RequestGetUser, Bind(handlers::GetUser, store));
  server.AddEncodedUnary<users::v1::LookupUserRequest, users::v1::User>(
      "LookupUser", service, &Service::RequestLookupUser, Bind(handlers::LookupUser, store));
  server.AddEncodedUnary<users::v1::BatchGetUsersRequest, users::v1::BatchGetUsersResponse>(
      "BatchGetUsers", service, &Service::RequestBatchGetUsers,
      Bind(handlers::BatchGetUsers, store));
  server.AddEncodedUnary<users::v1::ListUsersRequest, users::v1::ListUsersResponse>(
      "ListUsers", service, &Service::RequestListUsers, Bind(handlers::ListUsers, store));
  server.AddUnary("CountUsers", service, &Service::RequestCountUsers,
                  Bind(handlers::CountUsers, store));
  server.AddEncodedStream<users::v1::ExportUsersRequest>(
      "ExportUsers", service, &Service::RequestExportUsers,
      [&store](Call& call, const users::v1::ExportUsersRequest& request,
               rpc::EncodedStream& stream) {
        return handlers::ExportUsers(call, request, stream, store);
      });
}

void AddWrites(rpc::Server& server, Service& service, store::UserStore& store) {
  server.AddUnary("CreateUser", service, &Service::RequestCreateUser,
                  Bind(handlers::CreateUser, store));
  server.AddUnary("UpdateUser", service, &Service::RequestUpdateUser,
                  Bind(handlers::UpdateUser, store));
  server.AddUnary("DeleteUser", service, &Service::RequestDeleteUser,
                  Bind(handlers::DeleteUser, store));
  server.AddUnary("BatchCreateUsers", service, &Service::RequestBatchCreateUsers,
                  Bind(handlers::BatchCreateUsers, store));
  server.AddUnary("BatchUpdateUsers", service, &Service::RequestBatchUpdateUsers,
                  Bind(handlers::BatchUpdateUsers, store));
  server.AddUnary("BatchDeleteUsers", service, &Service::RequestBatchDeleteUsers,
                  Bind(handlers::BatchDeleteUsers, store));
  using users::v1::ImportUsersRequest;
  using users::v1::ImportUsersResponse;
  server.AddBidi<ImportUsersRequest, ImportUsersResponse>(
      "ImportUsers", service, &Service::RequestImportUsers,
      [&store](Call& call, rpc::BidiStream<ImportUsersRequest, ImportUsersResponse>& stream) {
        return handlers::ImportUsers(call, stream, store);
      });
}

void AddWatch(rpc::Server& server, Service& service, store::UserStore& store) {
  using users::v1::WatchUsersRequest;
  server.AddEncodedStream<WatchUsersRequest>(
      "WatchUsers", service, &Service::RequestWatchUsers,
      [&store](Call& call, const WatchUsersRequest& request, rpc::EncodedStream& stream) {
        return handlers::WatchUsers(call, request, stream, store);
      });
}

}  // namespace

void AddUserService(rpc::Server& server, store::UserStore& store) {
  auto service = std::make_unique<Service>();
  AddReads(server, *service, store);
  AddWrites(server, *service, store);
  AddWatch(server, *service, store);
  server.AddService(std::move(service), "users.v1.UserService");
}

}  // namespace userservice
