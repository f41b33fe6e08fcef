#include "service/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <exception>
#include <filesystem>
#include <string_view>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/sqlite/erasing_vfs.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/result.h"

namespace userservice::sqlite {
namespace {

// Some tens of microseconds: often enough for any deadline, too rarely for the clock to cost
// anything.
constexpr int kInstructionsPerCheck = 1000;

// A connection that yields has its processor for one of so many parts of the time, even beside
// threads that want all they can get.
constexpr int kShareMin = 16;

// SQLite counts the memory it takes under one lock for the whole process, which parallel readers
// would meet at.
void ConfigureLibrary() {
  static const int configured = [] {
    const int result = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return result == SQLITE_OK ? sqlite3_initialize() : result;
  }();
  static_cast<void>(configured);  // too late when another library was first: only slower
}

// A name that SQLite takes for a file's, whatever it looks like. Only immutable files need a URI.
std::string FileNameFor(const ConnectionOptions& options) {
  if (!options.immutable) {
    const bool is_special =
        absl::StartsWith(options.path, ":") || absl::StartsWith(options.path, "file:");
    return is_special ? absl::StrCat("./", options.path) : options.path;
  }
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(options.path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      absl::StrAppend(&uri, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      uri.push_back(c);
    }
  }
  return absl::StrCat(uri, "?immutable=1");
}

int OpenFlagsFor(const ConnectionOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (options.immutable) flags |= SQLITE_OPEN_URI;
  switch (options.mode) {
    case OpenMode::kReadOnly:
      return flags |
             (options.read_only_guards.open_flag ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    case OpenMode::kReadWrite:
      return flags | SQLITE_OPEN_READWRITE;
    case OpenMode::kCreate:
      return flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return flags;
}

// The pragmas that ask; their arguments, where they take any, change nothing.
bool IsQueryPragma(std::string_view name, bool has_argument) {
  constexpr std::array<std::string_view, 6> kWithArgument = {
      "index_info", "index_list", "index_xinfo", "integrity_check", "quick_check", "table_info"};
  constexpr std::array<std::string_view, 8> kWithout = {
      "application_id", "data_version", "encoding",   "foreign_keys",
      "journal_mode",   "page_count",   "query_only", "user_version"};
  if (std::find(kWithArgument.begin(), kWithArgument.end(), name) != kWithArgument.end())
    return true;
  return !has_argument && std::find(kWithout.begin(), kWithout.end(), name) != kWithout.end();
}

int AuthorizeQueriesOnly(void* /*unused*/, int action, const char* first, const char* second,
                         const char* /*database*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return SQLITE_OK;
    case SQLITE_PRAGMA:
      return IsQueryPragma(absl::AsciiStrToLower(first), second != nullptr) ? SQLITE_OK
                                                                            : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

}  // namespace

void Connection::Closer::operator()(sqlite3* db) const {
  // BUSY here means a statement that was never finalized, which the cache's own destructor rules
  // out.
  [[maybe_unused]] const int result = sqlite3_close(db);
  assert(result == SQLITE_OK);
}

Connection::Connection(sqlite3* db, const ConnectionOptions& options)
    : path_(options.path),
      busy_timeout_(absl::Milliseconds(options.busy_timeout_ms)),
      yields_(options.yields),
      db_(db),
      cache_(db, static_cast<size_t>(std::max(options.statement_cache_size, 0))) {}

Connection::~Connection() { assert(active_statements() == 0 && "a scope outlives its connection"); }

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  ConfigureLibrary();
  if (options.path.empty()) return absl::InvalidArgumentError("the database's path is empty");
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(FileNameFor(options).c_str(), &handle, OpenFlagsFor(options), ErasingVfs());
  // Even a failed open gives a handle that has to be closed, unless memory is out.
  if (handle == nullptr) return StatusFromResult(nullptr, result, options.path);
  std::unique_ptr<Connection> connection(new Connection(handle, options));
  if (result != SQLITE_OK) return StatusFromResult(handle, result, options.path);
  absl::Status configured = connection->Configure(options);
  if (configured.ok() && options.mode == OpenMode::kReadOnly)
    configured = connection->Prohibit(options);
  if (!configured.ok()) {
    absl::Status status(configured.code(), absl::StrCat(options.path, ": ", configured.message()));
    if (const auto payload = configured.GetPayload(kResultCodePayload)) {
      status.SetPayload(kResultCodePayload, *payload);
    }
    return status;
  }
  return connection;
}

absl::Status Connection::Configure(const ConnectionOptions& options) {
  sqlite3* const db = db_.get();
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_handler(db, &Connection::OnBusy, this);
  sqlite3_progress_handler(db, kInstructionsPerCheck, &Connection::OnProgress, this);
  const std::array<std::pair<int, int>, 5> switches = {{
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_DQS_DML, 0},
      {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, options.keep_wal ? 1 : 0},
  }};
  for (const auto& [name, value] : switches) {
    const int result = sqlite3_db_config(db, name, value, nullptr);
    if (result != SQLITE_OK) return StatusFromResult(db, result);
  }
  const int function =
      sqlite3_create_function_v2(db, "visit_row", /*nArg=*/-1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                 this, &Connection::OnVisit, nullptr, nullptr, nullptr);
  if (function != SQLITE_OK) return StatusFromResult(db, function);
  // First of all: it only counts before the file is read.
  if (options.exclusive) {
    absl::Status status = Execute("PRAGMA locking_mode = EXCLUSIVE");
    if (!status.ok()) return status;
  }
  const std::string settings = absl::StrCat(
      "PRAGMA foreign_keys = ON;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA secure_delete = ON;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA cache_size = ",
      -options.cache_kib,
      ";"
      "PRAGMA mmap_size = ",
      options.mmap_bytes,
      ";"
      "PRAGMA wal_autocheckpoint = ",
      options.wal_autocheckpoint_pages,
      ";"
      "PRAGMA journal_size_limit = ",
      options.wal_size_max_bytes, ";");
  absl::Status set = Execute(settings.c_str());
  // SQLite's own checkpoints hang on the same hook.
  if (options.wal_autocheckpoint_pages == 0) sqlite3_wal_hook(db, &Connection::OnCommit, this);
  return set;
}

absl::Status Connection::Prohibit(const ConnectionOptions& options) {
  if (options.read_only_guards.query_only) {
    absl::Status status = Execute("PRAGMA query_only = ON");
    if (!status.ok()) return status;
  }
  if (options.read_only_guards.authorizer) {
    return StatusFromResult(db_.get(),
                            sqlite3_set_authorizer(db_.get(), &AuthorizeQueriesOnly, nullptr));
  }
  return absl::OkStatus();
}

absl::Status Connection::Execute(const char* sql) {
  return StatusFromResult(db_.get(), sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr));
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }
int64_t Connection::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_.get()); }
int64_t Connection::changes() const { return sqlite3_changes64(db_.get()); }
int64_t Connection::total_changes() const { return sqlite3_total_changes64(db_.get()); }

Connection::Limit Connection::Exceeded(const QueryLimits& limits) {
  if (limits.stop != nullptr && limits.stop->stop_requested()) return Limit::kStop;
  if (limits.deadline != absl::InfiniteFuture() && absl::Now() >= limits.deadline)
    return Limit::kDeadline;
  return Limit::kNone;
}

// Called by SQLite in the midst of a step, on its thread. Not 0 interrupts the statement.
int Connection::OnProgress(void* connection) {
  auto* const self = static_cast<Connection*>(connection);
  if (self->yields_) self->Yield();
  if (self->limits_ == nullptr) return 0;
  self->limit_hit_ = Exceeded(*self->limits_);
  return self->limit_hit_ == Limit::kNone ? 0 : 1;
}

void Connection::Yield() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point yielded = Clock::now();
  if (yielded < turn_end_) return;
  std::this_thread::yield();
  const Clock::time_point back = Clock::now();
  turn_end_ = back + (back - yielded) / (kShareMin - 1);
}

// Called by SQLite while another holds a lock. 0 gives up. Waits in small steps, so that limits are
// seen in time.
int Connection::OnBusy(void* connection, int attempt) {
  auto* const self = static_cast<Connection*>(connection);
  const absl::Time now = absl::Now();
  if (attempt == 0) self->busy_since_ = now;
  if (now - self->busy_since_ >= self->busy_timeout_) return 0;
  if (self->limits_ != nullptr) {
    self->limit_hit_ = Exceeded(*self->limits_);
    if (self->limit_hit_ != Limit::kNone) return 0;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(1 + attempt, 10)));
  return 1;
}

// Called by SQLite after each commit to the log.
int Connection::OnCommit(void* connection, sqlite3* /*db*/, const char* /*schema*/, int wal_pages) {
  static_cast<Connection*>(connection)->wal_pages_ = wal_pages;
  return SQLITE_OK;
}

// visit_row(...) in a statement. No exception may pass through SQLite.
void Connection::OnVisit(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const auto* const self = static_cast<const Connection*>(sqlite3_user_data(context));
  if (self->visitor_ == nullptr) {
    sqlite3_result_error(context, "visit_row() is for QueryScope::Visit", -1);
    return;
  }
  try {
    sqlite3_result_int(context, (*self->visitor_)(RowValues(values)) ? 1 : 0);
  } catch (const std::exception& exception) {
    sqlite3_result_error(context, exception.what(), -1);
  } catch (...) {
    sqlite3_result_error(context, "the visitor of a row threw", -1);
  }
}

absl::Status SetWriteAheadLog(Connection& connection) {
  QueryScope mode(connection, "PRAGMA journal_mode = WAL");
  const absl::StatusOr<bool> row = mode.Step();
  if (!row.ok()) return row.status();
  if (!*row || mode.Text(0) != "wal") {
    return absl::FailedPreconditionError(
        "its file system has no shared memory for a write-ahead log");
  }
  return absl::OkStatus();
}

}  // namespace userservice::sqlite
