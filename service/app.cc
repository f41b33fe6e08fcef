#include "service/app.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/errors/errors.h"
#include "service/store/database.h"
#include "service/store/sqlite_user_store.h"
#include "service/user_service.h"
#include "spdlog/spdlog.h"

namespace userservice {
namespace {

store::SqliteStoreOptions StoreOptionsOf(const Config& config) {
  store::SqliteStoreOptions options(config.database);
  options.point_threads = config.point_threads;
  // Each loop reads on its own thread; none is to wait for another's connection.
  options.point_connections = static_cast<size_t>(config.server.loops);
  options.point_cache_kib = config.point_cache_kib;
  options.scan_threads = config.scan_threads;
  options.scan_queue_jobs_max = config.scan_queue_jobs_max;
  options.rows_examined_max = config.rows_examined_max;
  options.writer.queue_rows_max = config.write_queue_rows_max;
  options.writer.queue_bytes_max = config.write_queue_bytes_max;
  options.writer.batch_rows_max = config.write_batch_rows_max;
  options.watch_queue_jobs_max = static_cast<size_t>(config.server.streams_max);
  options.feed.ring_bytes_max = config.watch_buffer_bytes_max;
  options.feed.progress_interval = absl::Milliseconds(config.watch_progress_ms);
  options.tombstones.age_max = absl::Hours(config.tombstone_hours);
  options.tombstones.count_max = config.tombstones_max;
  options.tombstones.interval = absl::Milliseconds(config.tombstone_interval_ms);
  return options;
}

}  // namespace

App::App(const Config& config, std::unique_ptr<store::UserStore> store)
    : config_(config),
      store_(std::move(store)),
      server_(std::make_unique<rpc::Server>(config.server)) {}

App::~App() { Stop(); }

absl::StatusOr<std::unique_ptr<App>> App::Start(const Config& config) {
  store::DatabaseOptions database;
  database.sample_users = config.sample_users;
  database.generate_users = config.generate_users;
  database.rebuild = config.vacuum;
  if (config.vacuum) spdlog::info("--vacuum: rebuilding {}, if it exists", config.database);
  const absl::StatusOr<store::DatabaseInfo> info =
      store::PrepareDatabase(config.database, database);
  if (!info.ok()) return info.status();
  if (info->created) {
    spdlog::info("created {}", config.database);
  } else if (info->found_version != info->version) {
    spdlog::info("upgraded {} from schema version {} to {}", config.database, info->found_version,
                 info->version);
  }
  if (info->rebuilt.has_value()) {
    spdlog::info("rebuilt {}: {} bytes instead of {}, in {:.1f} s", config.database,
                 info->rebuilt->bytes_after, info->rebuilt->bytes_before,
                 absl::ToDoubleSeconds(info->rebuilt->time));
  }
  absl::StatusOr<std::unique_ptr<store::SqliteUserStore>> store =
      store::SqliteUserStore::Open(StoreOptionsOf(config));
  if (!store.ok()) {  // an error made for callers: its cause is what the operator needs
    const std::string cause = errors::CauseOf(store.status());
    return absl::UnavailableError(
        absl::StrCat("database ", config.database, ": ",
                     cause.empty() ? std::string(store.status().message()) : cause));
  }
  std::unique_ptr<App> app(new App(config, *std::move(store)));
  AddUserService(*app->server_, *app->store_);
  const absl::Status started = app->server_->Start();
  if (!started.ok()) return started;
  return app;
}

void App::Stop() {
  if (store_ == nullptr) return;
  server_->Drain(absl::Milliseconds(config_.drain_ms));
  const store::UserStore::OpenResources open = store_->open_resources();
  if (open.leases + open.statements + open.writes + open.watches > 0) {
    spdlog::error(
        "at the end of all calls {} leases, {} statements, {} writes and {} watches were open: "
        "please report this",
        open.leases, open.statements, open.writes, open.watches);
  }
  store_.reset();
  server_->Close();
}

}  // namespace userservice
