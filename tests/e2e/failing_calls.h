// Calls that fail, one for each reason that the service gives: what it is asked, and in what state.
//
//   FailingWorld world;
//   Ending ending = EmailTaken(world);
//
// Each function makes its call against a real service, that of the world or one of its own that is
// full, busy, broken or on its way out, and gives the call's end.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "async/block_on.h"
#include "async/stop.h"
#include "google/protobuf/empty.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "tests/e2e/user_service_client.h"
#include "tests/store/file_size_limit.h"
#include "tests/support/eventually.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/local_server.h"

namespace userservice::failing {

using users::v1::User;

inline constexpr char kRequestId[] = "0f0e0d0c-0b0a-4908-8706-050403020100";
// Belongs to a user who has nothing to do with any of the calls.
inline constexpr char kOthersEmail[] = "bystander@elsewhere.example";

// The end of a call that failed.
struct Ending {
  grpc::Status status;
  std::string pushback_ms;  // of the trailing metadata; "" if it is not there
};

template <class Request, class Response>
using UnaryMethod = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

inline std::string PushbackOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  return pushback == trailers.end() ? ""
                                    : std::string(pushback->second.data(), pushback->second.size());
}

template <class Request, class Response>
inline Ending EndOf(Stub& users, UnaryMethod<Request, Response> method, const Request& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  Response response;
  Ending ending;
  ending.status = (users.*method)(&context, request, &response);
  ending.pushback_ms = PushbackOf(context);
  return ending;
}

template <class Stream>
inline Ending EndOfStream(Stream& stream, const grpc::ClientContext& context) {
  Ending ending;
  ending.status = stream.Finish();
  ending.pushback_ms = PushbackOf(context);
  return ending;
}

// What most cases need: the service with two users.
struct FailingWorld {
  FailingWorld() {
    users.Create("Bystander", kOthersEmail);
    ann = users.Create("Ann", "ann@example.com", 41);
  }
  LocalApp app;
  UserServiceClient users{app.Connect()};
  User ann;
};

inline users::v1::CreateUserRequest CreationOf(const std::string& name, const std::string& email) {
  users::v1::CreateUserRequest request;
  request.mutable_user()->set_name(name);
  request.mutable_user()->set_email(email);
  return request;
}

inline Ending FieldInvalid(FailingWorld& world) {
  users::v1::CreateUserRequest request = CreationOf("Bob", "bob@example.com");
  request.mutable_user()->set_age(151);
  return EndOf(world.users.stub(), &Stub::CreateUser, request);
}

inline Ending FilterInvalid(FailingWorld& world) {
  users::v1::CountUsersRequest request;
  request.set_filter("age = 1 AND shoe_size = 4");
  return EndOf(world.users.stub(), &Stub::CountUsers, request);
}

inline Ending OrderByInvalid(FailingWorld& world) {
  users::v1::ListUsersRequest request;
  request.set_order_by("shoe_size");
  return EndOf(world.users.stub(), &Stub::ListUsers, request);
}

inline Ending PageTokenInvalid(FailingWorld& world) {
  users::v1::ListUsersRequest request;
  request.set_page_token("made-up");
  return EndOf(world.users.stub(), &Stub::ListUsers, request);
}

inline Ending UpdateMaskInvalid(FailingWorld& world) {
  users::v1::UpdateUserRequest request;
  request.mutable_user()->set_user_id(world.ann.user_id());
  request.mutable_update_mask()->add_paths("shoe_size");
  return EndOf(world.users.stub(), &Stub::UpdateUser, request);
}

inline Ending RequestIdInvalid(FailingWorld& world) {
  users::v1::CreateUserRequest request = CreationOf("Bob", "bob@example.com");
  request.set_request_id("one");
  return EndOf(world.users.stub(), &Stub::CreateUser, request);
}

inline Ending RequestIdReused(FailingWorld& world) {
  users::v1::CreateUserRequest request = CreationOf("Bob", "bob@example.com");
  request.set_request_id(kRequestId);
  EXPECT_EQ(Outcome(world.users.Try(&Stub::CreateUser, request)), "OK");
  request.mutable_user()->set_name("Bobby");
  return EndOf(world.users.stub(), &Stub::CreateUser, request);
}

inline Ending BatchTooLarge(FailingWorld& world) {
  users::v1::BatchGetUsersRequest request;
  for (int i = 0; i < 1001; ++i) request.add_user_ids(1);
  return EndOf(world.users.stub(), &Stub::BatchGetUsers, request);
}

inline Ending UserNotFound(FailingWorld& world) {
  users::v1::GetUserRequest request;
  request.set_user_id(4242);
  return EndOf(world.users.stub(), &Stub::GetUser, request);
}

inline Ending EmailTaken(FailingWorld& world) {
  return EndOf(world.users.stub(), &Stub::CreateUser, CreationOf("Bob", "ANN@example.com"));
}

inline Ending EtagMismatch(FailingWorld& world) {
  users::v1::DeleteUserRequest request;
  request.set_user_id(world.ann.user_id());
  request.set_etag("\"stale\"");
  return EndOf(world.users.stub(), &Stub::DeleteUser, request);
}

inline Ending EndOfWatch(Stub& users, int64_t after_revision) {
  grpc::ClientContext context;
  SetDeadline(context);
  users::v1::WatchUsersRequest request;
  request.set_after_revision(after_revision);
  const auto watch = users.WatchUsers(&context, request);
  users::v1::WatchUsersResponse message;
  while (watch->Read(&message)) context.TryCancel();
  return EndOfStream(*watch, context);
}

inline Ending RevisionInFuture(FailingWorld& world) { return EndOfWatch(world.users.stub(), 1000); }

inline Ending RevisionCompacted(FailingWorld&) {
  Config config;
  config.sample_users = true;  // revisions 1 to 5
  config.tombstones_max = 1;
  config.tombstone_interval_ms = 5;
  const LocalApp app(config);
  UserServiceClient users(app.Connect());
  for (const int64_t user_id : {1, 2, 3}) {
    users::v1::DeleteUserRequest request;
    request.set_user_id(user_id);
    EXPECT_EQ(Outcome(users.Try(&Stub::DeleteUser, request)), "OK");
  }
  Ending ending;
  const auto has_only_the_last = [&] {
    ending = EndOfWatch(users.stub(), 5);
    return InfoOf(ending.status).metadata().contains("oldest_revision") &&
           InfoOf(ending.status).metadata().at("oldest_revision") == "7";
  };
  EXPECT_TRUE(Eventually(has_only_the_last));
  return ending;
}

// A store whose database may not grow, as when the disk is full.
class FullStore final : public ForwardingStore {
 public:
  explicit FullStore(std::unique_ptr<store::SqliteUserStore> target)
      : ForwardingStore(WithoutRoom(std::move(target))) {}

 private:
  static std::unique_ptr<store::UserStore> WithoutRoom(
      std::unique_ptr<store::SqliteUserStore> target) {
    auto limit = [](store::WriteScope& scope) {
      return scope.connection().Execute("PRAGMA max_page_count = 1");  // no more than there are
    };
    const absl::Status limited = BlockOn(
        target->writer().Write(store::CallContext(), store::WriteKind::kOneStatement, limit));
    EXPECT_TRUE(limited.ok()) << limited;
    return target;
  }
};

inline Ending StorageFull(FailingWorld&) {
  const LocalServer<FullStore> server{rpc::ServerOptions()};
  const auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
  // What is left of the pages that there are takes a few hundred.
  for (int i = 0; i < 1000; ++i) {
    const auto request = CreationOf(std::string(100, 'n'), absl::StrCat("u", i, "@example.com"));
    Ending ending = EndOf(*users, &Stub::CreateUser, request);
    if (!ending.status.ok()) return ending;
  }
  return {};
}

inline Ending StorageUnavailable(FailingWorld& world) {
  const store::FileSizeLimit limit(std::filesystem::file_size(world.app.database() + "-wal"));
  return EndOf(world.users.stub(), &Stub::CreateUser, CreationOf("Bob", "bob@example.com"));
}

using ImportStream =
    grpc::ClientReaderWriter<users::v1::ImportUsersRequest, users::v1::ImportUsersResponse>;

// An import that is open and idle, in the server too.
inline std::unique_ptr<ImportStream> IdleImport(Stub& users, grpc::ClientContext& context) {
  SetDeadline(context);
  auto import = users.ImportUsers(&context);
  users::v1::ImportUsersRequest chunk;
  chunk.set_sequence(1);
  users::v1::ImportUsersResponse answer;
  EXPECT_TRUE(import->Write(chunk) && import->Read(&answer));
  return import;
}

inline Ending TooManyStreams(FailingWorld&) {
  Config config;
  config.server.streams_max = 1;
  const LocalApp app(config);
  const auto users = app.Users();
  grpc::ClientContext open_context;
  const auto open = IdleImport(*users, open_context);
  grpc::ClientContext context;
  SetDeadline(context);
  const auto refused = users->ExportUsers(&context, users::v1::ExportUsersRequest());
  users::v1::ExportUsersResponse chunk;
  EXPECT_FALSE(refused->Read(&chunk));
  Ending ending = EndOfStream(*refused, context);
  open->WritesDone();
  EXPECT_EQ(Outcome(open->Finish()), "OK");
  return ending;
}

inline Ending ShuttingDown(FailingWorld&) {
  LocalApp app;
  const auto users = app.Users();
  grpc::ClientContext context;
  const auto import = IdleImport(*users, context);
  app.app().Stop();
  return EndOfStream(*import, context);
}

inline Ending Overloaded(FailingWorld&) {
  Config config;
  config.server.calls_max = 1;
  LocalApp app(config);
  const auto users = app.Users();
  grpc::ClientContext waiting;
  SetDeadline(waiting);
  std::jthread waits([&] {
    users::v1::GetUserRequest request;
    request.set_min_revision(1'000'000);
    User user;
    EXPECT_EQ(users->GetUser(&waiting, request, &user).error_code(), grpc::StatusCode::CANCELLED);
  });
  EXPECT_TRUE(Eventually([&] { return app.app().live_calls() == 1; }));
  Ending ending = EndOf(*users, &Stub::CountUsers, users::v1::CountUsersRequest());
  waiting.TryCancel();
  return ending;
}

// A store that a call reaches too late: after its deadline, or when its client has gone. To a
// client gRPC itself says both, without details, before the server's answer comes; so here it is
// the store alone that learns of it.
class TooLateStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Task<absl::StatusOr<store::EncodedUser>> GetUser(store::CallContext context,
                                                   int64_t user_id) override {
    context.deadline = absl::Now();
    return ForwardingStore::GetUser(context, user_id);
  }
  Task<absl::StatusOr<store::EncodedUser>> LookupUser(store::CallContext context,
                                                      std::string email) override {
    std::stop_source gone;
    gone.request_stop();
    return WithStopToken(gone.get_token(), ForwardingStore::LookupUser(context, std::move(email)));
  }
};

inline Ending DeadlineExpired(FailingWorld&) {
  const LocalServer<TooLateStore> server{rpc::ServerOptions()};
  const auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
  return EndOf(*users, &Stub::GetUser, users::v1::GetUserRequest());
}

inline Ending CallCancelled(FailingWorld&) {
  const LocalServer<TooLateStore> server{rpc::ServerOptions()};
  const auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
  users::v1::LookupUserRequest request;
  request.set_email("ann@example.com");
  return EndOf(*users, &Stub::LookupUser, request);
}

inline Ending Internal(FailingWorld& world) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(world.app.database().c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "DROP TABLE users", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  users::v1::GetUserRequest request;
  request.set_user_id(world.ann.user_id());
  return EndOf(world.users.stub(), &Stub::GetUser, request);
}

inline Ending MethodUnimplemented(FailingWorld& world) {
  const grpc::internal::RpcMethod method("/users.v1.UserService/Nope",
                                         grpc::internal::RpcMethod::NORMAL_RPC);
  const auto channel = world.app.Connect();
  grpc::ClientContext context;
  SetDeadline(context);
  User user;
  Ending ending;
  ending.status = grpc::internal::BlockingUnaryCall(channel.get(), method, &context,
                                                    users::v1::GetUserRequest(), &user);
  ending.pushback_ms = PushbackOf(context);
  return ending;
}

inline Ending ServiceUnknown(FailingWorld& world) {
  grpc::ClientContext context;
  SetDeadline(context);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("nobody.v1.Nothing");
  grpc::health::v1::HealthCheckResponse response;
  Ending ending;
  ending.status =
      grpc::health::v1::Health::NewStub(world.app.Connect())->Check(&context, request, &response);
  ending.pushback_ms = PushbackOf(context);
  return ending;
}

}  // namespace userservice::failing
