// Probe: what one rule of the contract is checked with: calls to the server under test as gRPC
// makes them (nothing is repeated, nothing checked before it is sent), users of the rule's own, and
// checks that note what was expected and what came.
//
//   void NegativePageSize(Probe& probe) {
//     ListUsersRequest request;
//     request.set_page_size(-1);
//     const RpcError error =
//         probe.Refused(&Stub::ListUsers, request, "INVALID_ARGUMENT / FIELD_INVALID");
//     probe.Equal("the field named", error.fields(), {"page_size"});
//   }
//
// Checks do not end a rule. A call that should have succeeded and has not is noted, and gives the
// empty answer.
// Threads: one at a time, but for Try.
// Lifetime: the server outlives it. The users are removed by RemoveUsers(), and only by that.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/call.h"
#include "client/cli/conformance/own_users.h"
#include "client/cli/conformance/rpc_error.h"
#include "client/cli/conformance/shown.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "users/v1/user_service.grpc.pb.h"

namespace userservice::cli::conformance {

using Stub = users::v1::UserService::Stub;

// A unary method of the generated stub.
template <class Request, class Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

// Where the server under test is, and how long it may take for one answer.
struct Server {
  std::shared_ptr<grpc::Channel> channel;
  absl::Duration timeout;
};

// One check that failed.
struct Finding {
  std::string what;
  std::string expected;
  std::string came;
};

// A context with its deadline that a stop cancels.
class CallScope {
 public:
  CallScope(absl::Duration timeout, const std::stop_token& stop);
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  grpc::ClientContext& context() { return context_; }

 private:
  grpc::ClientContext context_;
  const internal::CancelOnStop cancel_on_stop_;
};

class Probe {
 public:
  // `domain` is where the addresses of this rule's users are, and belongs to it alone.
  Probe(const Server& server, std::string domain, std::stop_token stop);

  const std::shared_ptr<grpc::Channel>& channel() const { return server_.channel; }
  absl::Duration timeout() const { return server_.timeout; }
  const std::stop_token& stop() const { return stop_; }
  Stub& stub() { return *stub_; }

  // Calls.
  template <class Request, class Response>
  grpc::Status Try(Method<Request, Response> method, const Request& request, Response* response) {
    CallScope call(server_.timeout, stop_);
    return (stub_.get()->*method)(&call.context(), request, response);
  }
  // Must succeed.
  template <class Request, class Response>
  Response Ok(Method<Request, Response> method, const Request& request) {
    Response response;
    const grpc::Status status = Try(method, request, &response);
    if (!status.ok()) Note(CallOf<Request>(), "OK", Said(RpcError(status)));
    return response;
  }
  // Must fail, with `outcome`: "NOT_FOUND / USER_NOT_FOUND". `which` tells several apart.
  template <class Request, class Response>
  RpcError Refused(Method<Request, Response> method, const Request& request,
                   const std::string& outcome, const std::string& which = "") {
    Response response;
    RpcError error(Try(method, request, &response));
    if (error.outcome() != outcome) Note(CallOf<Request>() + which, outcome, Said(error));
    return error;
  }

  // Users of this rule: their addresses are `local`@..., and `local` is used once.
  std::string Email(const std::string& local);
  // Any address, which must hold domain() or another part that nobody else has.
  std::string Adopt(const std::string& email) { return users_.Adopt(email); }
  const std::string& domain() const { return users_.domain(); }
  users::v1::User Create(const std::string& name, const std::string& local,
                         std::optional<int> age = std::nullopt);
  // Named "User 1" and so on, of ages 1, 2, ...; in batches of at most 1,000.
  std::vector<users::v1::User> CreateMany(int count);
  void Know(const users::v1::User& user) { users_.Know(user); }
  // The filter that these users match and nobody else.
  std::string Own() const { return users_.Filter(); }
  // Those of them that match `filter` too.
  std::string OwnWhere(const std::string& filter) const;
  users::v1::User Get(int64_t user_id);
  // Of the user's last change: the etag is that number in quotes. 0, noted, if it is not.
  int64_t RevisionOf(const users::v1::User& user);
  // Every page of a list; notes it if they do not come to an end.
  std::vector<users::v1::User> ListAll(users::v1::ListUsersRequest request);

  // Checks. True if all is well.
  template <class T>
  bool Equal(const std::string& what, const T& came, const std::type_identity_t<T>& expected) {
    if (came == expected) return true;
    Note(what, Shown(expected), Shown(came));
    return false;
  }
  bool True(const std::string& what, bool came) { return Equal(what, came, true); }
  // `expected` and `came` are shown as they are.
  void Note(const std::string& what, const std::string& expected, const std::string& came);
  // The rule does not apply to this server; what was found so far does not count.
  void Skip(const std::string& why) { skipped_ = why; }

  const std::vector<Finding>& findings() const { return findings_; }
  const std::optional<std::string>& skipped() const { return skipped_; }

  // "" or what is left and why. Not stopped by anything.
  std::string RemoveUsers();

  // The outcome and the message.
  static std::string Said(const RpcError& error);

 private:
  // "ListUsers", of ListUsersRequest.
  template <class Request>
  static std::string CallOf() {
    const std::string& name = Request::descriptor()->name();
    return name.substr(0, name.rfind("Request"));
  }

  const Server server_;
  const std::stop_token stop_;
  const std::unique_ptr<Stub> stub_;
  OwnUsers users_;
  std::vector<Finding> findings_;
  std::optional<std::string> skipped_;
};

// The numbers, in the order that they have.
std::vector<int64_t> IdsOf(const std::vector<users::v1::User>& users);
std::vector<std::string> NamesOf(const std::vector<users::v1::User>& users);
template <class Users>
std::vector<int64_t> IdsIn(const Users& users) {
  return IdsOf(std::vector<users::v1::User>(users.begin(), users.end()));
}

}  // namespace userservice::cli::conformance
