// Options of a client and of one call, and what a call tells about itself when it has ended.
//
//   CallOptions options;
//   options.deadline = absl::Seconds(1);
//   auto user = co_await client->GetUser(42, options);
//
// Plain values; copy them as you like. The observer is called on the client's own thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace grpc {
class ChannelCredentials;
}  // namespace grpc

namespace userservice {

// One phase of the call in the server, from the trailing metadata `server-timing` (W3C
// Server-Timing).
struct ServerSpan {
  ServerSpan(std::string span_name, absl::Duration span_duration)
      : name(std::move(span_name)), duration(span_duration) {}
  std::string name;  // "queue", "sql", ..., "total"
  absl::Duration duration;
};

// One RPC, retries included, from the moment it was started to the moment its outcome was here.
struct CallRecord {
  std::string_view method;  // "GetUser"
  absl::Time start;
  absl::Time end;
  absl::Status status;
  std::vector<ServerSpan> server_spans;  // empty if the server sent none
};

using CallObserver = std::function<void(const CallRecord&)>;

struct CallOptions {
  CallOptions() {
  }  // not an aggregate: g++ 12 destroys braced temporaries twice in a co_await expression
  // What a call is made with when nothing is said.
  static const CallOptions& Default();

  // From the start of the call; absent: the client's. InfiniteDuration() is none.
  std::optional<absl::Duration> deadline;
  // While the server can not be reached: wait for it until the deadline, instead of failing with
  // UNAVAILABLE.
  bool wait_for_ready = false;
  std::vector<std::pair<std::string, std::string>> metadata;
  // Asks the server for its timing and is called once, at the end of the call. Must not throw: the
  // call may be one that nobody awaits any more.
  CallObserver observer;
};

struct ClientOptions {
  ClientOptions() {}

  absl::Duration deadline = absl::Seconds(10);
  // Of a whole stream, from its opening to its end.
  absl::Duration stream_deadline = absl::Hours(1);
  // Attempts at a call that may be repeated, the first one included; 1 to 5, where 1 means no
  // retries.
  int attempts_max = 4;
  // Of a response. ListUsers with the longest names and addresses stays far below.
  int receive_bytes_max = 16 * 1024 * 1024;
  // While calls are open and nothing has come for `keepalive`, the server is asked whether it
  // lives; without an answer within `keepalive_timeout` the connection is given up, and its calls
  // are UNAVAILABLE. A server takes such questions as often as its ping policy says: userd, every
  // 10 s.
  absl::Duration keepalive = absl::Seconds(30);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  // Plain TCP if null.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // "userctl/1.0"; stands before gRPC's own.
  std::string user_agent;
};

}  // namespace userservice
