#include "service/config.h"

#include <iostream>
#include <type_traits>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace userservice {
namespace {

constexpr int kBadUsage = 2;

// CLI11 reads 010 as eight and -1 as the largest number there is.
std::string CheckDecimal(const std::string& text) {
  constexpr size_t kDigitsMax = 18;
  const bool is_decimal = !text.empty() && text.size() <= kDigitsMax &&
                          text.find_first_not_of("0123456789") == std::string::npos &&
                          (text[0] != '0' || text.size() == 1);
  return is_decimal ? "" : absl::StrCat("'", text, "' is not a whole number like 0 or 250");
}

// --flag, with its default in the help and USERD_FLAG in the environment.
template <class T>
CLI::Option* AddFlag(CLI::App& app, const std::string& name, T& value, const std::string& help) {
  CLI::Option* const option = app.add_option("--" + name, value, help)
                                  ->envname(absl::StrCat("USERD_", absl::AsciiStrToUpper(name)))
                                  ->capture_default_str();
  if constexpr (std::is_integral_v<T>) option->check(CLI::Validator(CheckDecimal, ""));
  return option;
}

void AddServerFlags(CLI::App& app, rpc::ServerOptions& server) {
  AddFlag(app, "listen_address", server.listen_address,
          "HOST:PORT to listen on; [::] is every address, port 0 one that is free");
  AddFlag(app, "calls_max", server.calls_max, "unary calls handled at once; more are refused")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "streams_max", server.streams_max, "streams open at once; more are refused")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "connection_streams_max", server.connection_streams_max,
          "calls at once on one connection; more wait in the client")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "connection_idle_ms", server.connection_idle_ms,
          "a connection without calls is closed after so many milliseconds; 0: never")
      ->check(CLI::NonNegativeNumber);
  AddFlag(app, "keepalive_ms", server.keepalive_ms,
          "a silent client is asked so often, in milliseconds, whether it lives")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "message_bytes_max", server.message_bytes_max, "largest request, in bytes")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "loops", server.loops, "completion queues, each with one thread")
      ->check(CLI::Range(1, 64));
}

void AddStoreFlags(CLI::App& app, Config& config) {
  AddFlag(app, "database", config.database, "the SQLite file; created if it does not exist");
  app.add_flag("--sample_users", config.sample_users, "a new database gets five sample users")
      ->envname("USERD_SAMPLE_USERS");
  AddFlag(app, "generate_users", config.generate_users,
          "a new database gets so many generated users")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--vacuum", config.vacuum,
               "rebuilds the database at start: gives space back, erases leftovers")
      ->envname("USERD_VACUUM");
  AddFlag(app, "point_threads", config.point_threads,
          "threads for point reads; 0: on the completion queue's own")
      ->check(CLI::Range(0, 64));
  AddFlag(app, "point_cache_kib", config.point_cache_kib,
          "what each completion queue or point thread may cache of the database, in KiB")
      ->check(CLI::Range(1024, 1 << 30));
  AddFlag(app, "scan_threads", config.scan_threads, "threads for long lists, counts and exports")
      ->check(CLI::Range(1, 64));
  AddFlag(app, "scan_queue_jobs_max", config.scan_queue_jobs_max,
          "scans that may wait; more are refused")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "rows_examined_max", config.rows_examined_max, "rows that one page may examine")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "write_queue_rows_max", config.write_queue_rows_max,
          "rows of writes that may wait; more are refused")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "write_queue_bytes_max", config.write_queue_bytes_max,
          "bytes of writes that may wait; more are refused")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "write_batch_rows_max", config.write_batch_rows_max,
          "rows of writes that may share one commit")
      ->check(CLI::PositiveNumber);
}

void AddWatchFlags(CLI::App& app, Config& config) {
  AddFlag(app, "watch_progress_ms", config.watch_progress_ms,
          "an idle watch is told so often, in milliseconds, how far it is")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "watch_buffer_bytes_max", config.watch_buffer_bytes_max,
          "changes kept in memory for those who watch, in bytes; who is slower reads the database")
      ->check(CLI::PositiveNumber);
  AddFlag(app, "tombstone_hours", config.tombstone_hours,
          "how long a deletion is kept for those who resume to watch, in hours")
      ->check(CLI::Range(1, 87'600));
  AddFlag(app, "tombstones_max", config.tombstones_max, "how many deletions are kept at most")
      ->check(CLI::NonNegativeNumber);
  AddFlag(app, "tombstone_interval_ms", config.tombstone_interval_ms,
          "how often, in milliseconds, those that have had their time are dropped")
      ->check(CLI::PositiveNumber);
}

}  // namespace

std::variant<Config, int> ParseCommandLine(int argc, const char* const* argv) {
  Config config;
  CLI::App app(
      "userd: a gRPC service (users.v1.UserService) over a table of users.\n"
      "Prints 'listening on HOST:PORT' on stdout when it serves; logs to stderr. SIGTERM and "
      "SIGINT drain and\n"
      "stop it, a second one stops it at once. Every flag can also be given as USERD_<FLAG>.",
      "userd");
  app.set_version_flag("--version", "userd 1.0.0");
  AddServerFlags(app, config.server);
  AddStoreFlags(app, config);
  AddWatchFlags(app, config);
  AddFlag(app, "drain_ms", config.drain_ms,
          "how long calls may go on after SIGTERM, in milliseconds")
      ->check(CLI::NonNegativeNumber);
  AddFlag(app, "log_level", config.log_level, "the least that is logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kBadUsage;
  }
  return config;
}

}  // namespace userservice
