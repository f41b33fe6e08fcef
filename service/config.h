// Config: everything that userd can be told, with the defaults that a person would choose. Flags on
// the command line, or USERD_<FLAG> in the environment; the command line wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "service/rpc/server.h"

namespace userservice {

struct Config {
  Config() = default;

  rpc::ServerOptions server;

  std::string database = "users.db";
  bool sample_users = false;   // a new database gets the five sample users
  int64_t generate_users = 0;  // a new database gets as many generated ones
  bool vacuum = false;         // an existing database is rebuilt at start

  size_t point_threads = 0;          // threads for point reads; 0: on the loop's own
  int point_cache_kib = 128 * 1024;  // of each loop, or point thread; filled by use
  size_t scan_threads = 2;
  size_t scan_queue_jobs_max = 256;
  int64_t rows_examined_max = 20'000;  // a page
  size_t write_queue_rows_max = 65'536;
  size_t write_queue_bytes_max = 64UL << 20;
  size_t write_batch_rows_max = 4096;  // 1: each write has a commit of its own

  int64_t watch_progress_ms = 10'000;
  size_t watch_buffer_bytes_max = size_t{16} << 20;
  int64_t tombstone_hours = 24;
  int64_t tombstones_max = 1'000'000;
  int64_t tombstone_interval_ms = 60'000;  // between two looks for those that have had their time

  int64_t drain_ms = 10'000;
  std::string log_level = "info";
};

// The configuration; or the exit code, when the command line asked for help (0) or is wrong (2) and
// that was said.
std::variant<Config, int> ParseCommandLine(int argc, const char* const* argv);

}  // namespace userservice
