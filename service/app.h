// App: the composition root. Makes the store and the server, in the order in which they need each
// other, and ends them in the one order that is right:
//
//   health NOT_SERVING, streams end -> gRPC shut down by its deadline -> no call is left, the
//   store still stands -> the store drains and closes -> the loops close -> queues, server.
//
// Threads: all members from one thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "service/config.h"
#include "service/rpc/server.h"
#include "service/store/user_store.h"

namespace userservice {

class App {
 public:
  // Serves when it returns. Errors are one line for the operator: what is wrong, and what to do.
  static absl::StatusOr<std::unique_ptr<App>> Start(const Config& config);
  ~App();  // Stop()

  int port() const { return server_->port(); }
  const store::UserStore& store() const { return *store_; }
  int64_t live_calls() const { return server_->live_calls(); }

  // Calls may go on for the configured drain time, then they are cancelled.
  void Stop();

 private:
  App(const Config& config, std::unique_ptr<store::UserStore> store);

  const Config config_;
  std::unique_ptr<store::UserStore> store_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace userservice
