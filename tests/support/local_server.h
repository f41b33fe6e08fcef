// LocalServer: the RPCs of the service over a store that a test has changed, in this process.
// Drains when it ends.
//
//   LocalServer<ThrowingStore> server(rpc::ServerOptions(), store::DatabaseOptions());
//   auto users = users::v1::UserService::NewStub(OwnConnection(server.address()));
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/rpc/server.h"
#include "service/store/database.h"
#include "service/store/sqlite_user_store.h"
#include "service/user_service.h"
#include "spdlog/spdlog.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_directory.h"

namespace userservice {

// `Store` is made from the SqliteUserStore that it stands in front of.
template <class Store>
class LocalServer {
 public:
  explicit LocalServer(rpc::ServerOptions options, const store::DatabaseOptions& database = {}) {
    spdlog::set_level(spdlog::level::critical);  // what goes wrong is the test's doing
    const std::string path = directory_.File("users.db");
    const absl::StatusOr<store::DatabaseInfo> info = store::PrepareDatabase(path, database);
    if (!info.ok()) throw std::runtime_error(info.status().ToString());
    auto opened = store::SqliteUserStore::Open(store::SqliteStoreOptions(path));
    if (!opened.ok()) throw std::runtime_error(opened.status().ToString());
    store_ = std::make_unique<Store>(*std::move(opened));
    options.listen_address = "127.0.0.1:0";
    server_ = std::make_unique<rpc::Server>(options);
    AddUserService(*server_, *store_);
    const absl::Status started = server_->Start();
    if (!started.ok()) throw std::runtime_error(started.ToString());
  }
  ~LocalServer() {
    server_->Drain(absl::Seconds(10));
    server_->Close();
  }

  Store& store() { return *store_; }
  rpc::Server& server() { return *server_; }
  int port() const { return server_->port(); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port()); }

  // No call, lease, statement, write or watch is open; waits for it a while.
  [[nodiscard]] bool IsIdle(absl::Duration limit = absl::Seconds(30)) const {
    const auto is_idle = [this] {
      const store::UserStore::OpenResources open = store_->open_resources();
      return server_->live_calls() == 0 &&
             open.leases + open.statements + open.writes + open.watches == 0;
    };
    return Eventually(is_idle, limit);
  }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace userservice
