#include "tests/cli/support/unfaithful_server.h"

#include <chrono>
#include <set>

#include "absl/strings/str_cat.h"
#include "async/mutex.h"
#include "client/request_id.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "tests/support/local_app.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::testing {

namespace v1 = users::v1;
using grpc::ServerContext;
using grpc::Status;
using Stub = v1::UserService::Stub;

namespace {

// The same error with another reason.
Status WithReason(const Status& status, const std::string& reason) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (google::protobuf::Any& any : *details.mutable_details()) {
    google::rpc::ErrorInfo info;
    if (!any.Is<google::rpc::ErrorInfo>() || !any.UnpackTo(&info)) continue;
    info.set_reason(reason);
    any.PackFrom(info);
  }
  return Status(status.error_code(), status.error_message(), details.SerializeAsString());
}

}  // namespace

class UnfaithfulServer::Service final : public v1::UserService::Service {
 public:
  Service(const std::string& target, Fault fault)
      : fault_(fault), target_(v1::UserService::NewStub(OwnConnection(target))) {}

  Status CreateUser(ServerContext* context, const v1::CreateUserRequest* request,
                    v1::User* response) override {
    v1::CreateUserRequest sent = *request;
    if (fault_ == Fault::kRunsRepeatedCreates && !sent.request_id().empty() && IsSeen(sent))
      sent.set_request_id(NewRequestId());
    return WithAge(Forward(context, &Stub::CreateUser, sent, response), response);
  }
  Status GetUser(ServerContext* context, const v1::GetUserRequest* request,
                 v1::User* response) override {
    const Status status = Forward(context, &Stub::GetUser, *request, response);
    if (fault_ == Fault::kNoDetailsOfGet && !status.ok())
      return Status(status.error_code(), status.error_message());
    return WithAge(status, response);
  }
  Status LookupUser(ServerContext* context, const v1::LookupUserRequest* request,
                    v1::User* response) override {
    return Forward(context, &Stub::LookupUser, *request, response);
  }
  Status ListUsers(ServerContext* context, const v1::ListUsersRequest* request,
                   v1::ListUsersResponse* response) override {
    v1::ListUsersRequest sent = *request;
    if (fault_ == Fault::kIgnoresPageSize) sent.clear_page_size();
    return Forward(context, &Stub::ListUsers, sent, response);
  }
  Status UpdateUser(ServerContext* context, const v1::UpdateUserRequest* request,
                    v1::User* response) override {
    v1::UpdateUserRequest sent = *request;
    if (fault_ == Fault::kIgnoresEtags) sent.mutable_user()->clear_etag();
    return Forward(context, &Stub::UpdateUser, sent, response);
  }
  Status DeleteUser(ServerContext* context, const v1::DeleteUserRequest* request,
                    google::protobuf::Empty* response) override {
    if (fault_ == Fault::kDeletesNothing) return Status(grpc::StatusCode::UNAVAILABLE, "broken");
    v1::DeleteUserRequest sent = *request;
    if (fault_ == Fault::kIgnoresEtags) sent.clear_etag();
    return Forward(context, &Stub::DeleteUser, sent, response);
  }
  Status BatchGetUsers(ServerContext* context, const v1::BatchGetUsersRequest* request,
                       v1::BatchGetUsersResponse* response) override {
    return Forward(context, &Stub::BatchGetUsers, *request, response);
  }
  Status BatchCreateUsers(ServerContext* context, const v1::BatchCreateUsersRequest* request,
                          v1::BatchCreateUsersResponse* response) override {
    return Forward(context, &Stub::BatchCreateUsers, *request, response);
  }
  Status BatchUpdateUsers(ServerContext* context, const v1::BatchUpdateUsersRequest* request,
                          v1::BatchUpdateUsersResponse* response) override {
    return Forward(context, &Stub::BatchUpdateUsers, *request, response);
  }
  Status BatchDeleteUsers(ServerContext* context, const v1::BatchDeleteUsersRequest* request,
                          google::protobuf::Empty* response) override {
    if (fault_ == Fault::kDeletesNothing) return Status(grpc::StatusCode::UNAVAILABLE, "broken");
    return Forward(context, &Stub::BatchDeleteUsers, *request, response);
  }
  Status CountUsers(ServerContext* context, const v1::CountUsersRequest* request,
                    v1::CountUsersResponse* response) override {
    return Forward(context, &Stub::CountUsers, *request, response);
  }
  Status ExportUsers(ServerContext* context, const v1::ExportUsersRequest* request,
                     grpc::ServerWriter<v1::ExportUsersResponse>* writer) override {
    v1::ExportUsersRequest sent = *request;
    if (fault_ == Fault::kExportsFromTheStart) sent.clear_resume_token();
    return Relay(context, &Stub::ExportUsers, sent, *writer);
  }
  Status WatchUsers(ServerContext* context, const v1::WatchUsersRequest* request,
                    grpc::ServerWriter<v1::WatchUsersResponse>* writer) override {
    return Relay(context, &Stub::WatchUsers, *request, *writer);
  }
  Status ImportUsers(
      ServerContext* context,
      grpc::ServerReaderWriter<v1::ImportUsersResponse, v1::ImportUsersRequest>* stream) override {
    const auto client = grpc::ClientContext::FromServerContext(*context);
    const auto target = target_->ImportUsers(client.get());
    v1::ImportUsersRequest chunk;
    v1::ImportUsersResponse answer;
    while (stream->Read(&chunk) && target->Write(chunk) && target->Read(&answer))
      stream->Write(answer);
    target->WritesDone();
    return target->Finish();
  }

 private:
  template <class Request, class Response>
  Status Forward(ServerContext* context,
                 Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request, Response* response) {
    const auto client = grpc::ClientContext::FromServerContext(*context);
    const Status status = (target_.get()->*method)(client.get(), request, response);
    const bool is_taken = status.error_code() == grpc::StatusCode::ALREADY_EXISTS;
    return is_taken && fault_ == Fault::kTakenIsNotFound ? WithReason(status, "USER_NOT_FOUND")
                                                         : status;
  }

  template <class Request, class Response>
  Status Relay(ServerContext* context,
               std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*,
                                                                             const Request&),
               const Request& request, grpc::ServerWriter<Response>& writer) {
    const auto client = grpc::ClientContext::FromServerContext(*context);
    const auto reader = (target_.get()->*method)(client.get(), request);
    for (Response message; reader->Read(&message);) {
      if (!writer.Write(message)) client->TryCancel();
    }
    return reader->Finish();
  }

  Status WithAge(const Status& status, v1::User* user) const {
    if (status.ok() && fault_ == Fault::kAbsentAgeIsZero && !user->has_age()) user->set_age(0);
    return status;
  }

  bool IsSeen(const v1::CreateUserRequest& request) {
    const MutexLock lock(&mutex_);
    return !seen_.insert(request.request_id()).second;
  }

  const Fault fault_;
  const std::unique_ptr<Stub> target_;
  Mutex mutex_;
  std::set<std::string> seen_ ABSL_GUARDED_BY(mutex_);
};

UnfaithfulServer::UnfaithfulServer(const std::string& target, Fault fault)
    : service_(std::make_unique<Service>(target, fault)) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  address_ = absl::StrCat("127.0.0.1:", port);
}

UnfaithfulServer::~UnfaithfulServer() {
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

}  // namespace userservice::testing
