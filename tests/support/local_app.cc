#include "tests/support/local_app.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "spdlog/spdlog.h"
#include "tests/support/eventually.h"

namespace userservice {

void SetDeadline(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
}

std::shared_ptr<grpc::Channel> OwnConnection(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

LocalApp::LocalApp(const Config& config) {
  spdlog::set_level(spdlog::level::err);
  Config own = config;
  own.server.listen_address = "127.0.0.1:0";
  own.database = database();
  absl::StatusOr<std::unique_ptr<App>> app = App::Start(own);
  if (!app.ok()) throw std::runtime_error(app.status().ToString());
  app_ = *std::move(app);
}

std::string LocalApp::address() const { return absl::StrCat("127.0.0.1:", app_->port()); }

bool LocalApp::IsIdle(absl::Duration limit) const {
  const auto is_idle = [this] {
    const store::UserStore::OpenResources open = app_->store().open_resources();
    return app_->live_calls() == 0 &&
           open.leases + open.statements + open.writes + open.watches == 0;
  };
  return Eventually(is_idle, limit);
}

}  // namespace userservice
