// The handlers: one coroutine an RPC. Each checks its request, asks the store, shapes the answer.
//
//   Task<absl::StatusOr<User>> CreateUser(rpc::Call&, const CreateUserRequest&, store::UserStore&);
//
// Contract of each: its RPC's comment in users/v1/user_service.proto.
// Errors: from the catalogue (service/errors).
// Lifetime: the references outlive the task; rpc keeps call and request, the app keeps the store.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "async/task.h"
#include "google/protobuf/empty.pb.h"
#include "service/rpc/call.h"
#include "service/rpc/encoded.h"
#include "service/rpc/encoded_stream.h"
#include "service/rpc/stream_call.h"
#include "service/store/user_store.h"
#include "users/v1/user_service.pb.h"

namespace userservice::handlers {

using ::users::v1::User;

// write_users.cc
Task<absl::StatusOr<User>> CreateUser(rpc::Call& call, const users::v1::CreateUserRequest& request,
                                      store::UserStore& store);
Task<absl::StatusOr<User>> UpdateUser(rpc::Call& call, const users::v1::UpdateUserRequest& request,
                                      store::UserStore& store);
Task<absl::StatusOr<google::protobuf::Empty>> DeleteUser(
    rpc::Call& call, const users::v1::DeleteUserRequest& request, store::UserStore& store);
Task<absl::StatusOr<users::v1::BatchCreateUsersResponse>> BatchCreateUsers(
    rpc::Call& call, const users::v1::BatchCreateUsersRequest& request, store::UserStore& store);
Task<absl::StatusOr<users::v1::BatchUpdateUsersResponse>> BatchUpdateUsers(
    rpc::Call& call, const users::v1::BatchUpdateUsersRequest& request, store::UserStore& store);
Task<absl::StatusOr<google::protobuf::Empty>> BatchDeleteUsers(
    rpc::Call& call, const users::v1::BatchDeleteUsersRequest& request, store::UserStore& store);

// read_users.cc
Task<absl::StatusOr<rpc::Encoded<User>>> GetUser(rpc::Call& call,
                                                 const users::v1::GetUserRequest& request,
                                                 store::UserStore& store);
Task<absl::StatusOr<rpc::Encoded<User>>> LookupUser(rpc::Call& call,
                                                    const users::v1::LookupUserRequest& request,
                                                    store::UserStore& store);
Task<absl::StatusOr<rpc::Encoded<users::v1::BatchGetUsersResponse>>> BatchGetUsers(
    rpc::Call& call, const users::v1::BatchGetUsersRequest& request, store::UserStore& store);

// list_users.cc
Task<absl::StatusOr<rpc::Encoded<users::v1::ListUsersResponse>>> ListUsers(
    rpc::Call& call, const users::v1::ListUsersRequest& request, store::UserStore& store);
Task<absl::StatusOr<users::v1::CountUsersResponse>> CountUsers(
    rpc::Call& call, const users::v1::CountUsersRequest& request, store::UserStore& store);

// export_users.cc
Task<absl::Status> ExportUsers(rpc::Call& call, const users::v1::ExportUsersRequest& request,
                               rpc::EncodedStream& stream, store::UserStore& store);

// import_users.cc
Task<absl::Status> ImportUsers(
    rpc::Call& call,
    rpc::BidiStream<users::v1::ImportUsersRequest, users::v1::ImportUsersResponse>& stream,
    store::UserStore& store);

// watch_users.cc
Task<absl::Status> WatchUsers(rpc::Call& call, const users::v1::WatchUsersRequest& request,
                              rpc::EncodedStream& stream, store::UserStore& store);

}  // namespace userservice::handlers
