#include "service/store/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "service/sqlite/connection.h"
#include "service/sqlite/inspection.h"
#include "service/sqlite/query_scope.h"
#include "service/sqlite/result.h"
#include "service/sqlite/transaction.h"
#include "service/store/sample_users.h"
#include "service/store/schema.h"

namespace userservice::store {
namespace {

using sqlite::Connection;
using sqlite::ConnectionOptions;
using sqlite::OpenMode;
using sqlite::QueryScope;
using sqlite::Transaction;

constexpr mode_t kFileMode = 0640;

// One line, whatever SQLite or the path bring along.
absl::Status Refuse(absl::StatusCode code, absl::string_view path, absl::string_view problem) {
  std::string message = absl::StrCat("database ", path, ": ", problem);
  std::replace_if(message.begin(), message.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return {code, message};
}

absl::Status RefuseErrno(int error, absl::string_view path, absl::string_view problem,
                         absl::string_view remedy) {
  return Refuse(absl::ErrnoToStatusCode(error), path,
                absl::StrCat(problem, ": ", std::strerror(error), "; ", remedy));
}

absl::Status RefuseDamaged(absl::string_view path, absl::string_view finding) {
  return Refuse(absl::StatusCode::kDataLoss, path,
                absl::StrCat("is damaged (", finding, "); restore it from a backup"));
}

// An error of SQLite's, with a remedy by its kind.
absl::Status Explain(absl::string_view path, const absl::Status& error) {
  if (sqlite::ExtendedResultCode(error) == 0) return Refuse(error.code(), path, error.message());
  if (sqlite::IsNotADatabase(error)) {
    return Refuse(error.code(), path, "is not an SQLite database; name another file");
  }
  if (sqlite::IsBusy(error)) {
    return Refuse(error.code(), path,
                  "is locked by another program; stop that program and start again");
  }
  switch (error.code()) {
    case absl::StatusCode::kDataLoss:
      return RefuseDamaged(path, error.message());
    case absl::StatusCode::kResourceExhausted:
      return Refuse(error.code(), path, "the disk is full; free some space and start again");
    case absl::StatusCode::kPermissionDenied:
      return Refuse(error.code(), path,
                    absl::StrCat("can not be written (", error.message(),
                                 "); give this user write permission on it and its directory"));
    default:
      return Refuse(error.code(), path,
                    absl::StrCat("SQLite can not use it (", error.message(),
                                 "); check the file, its directory and the disk"));
  }
}

bool IsAllowed(const std::string& path, int access) {
  return faccessat(AT_FDCWD, path.c_str(), access, AT_EACCESS) == 0;
}

// SQLite makes the -wal and -shm beside the file itself, not beside a link to it.
std::string DirectoryOf(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::weakly_canonical(path, error);
  const std::filesystem::path parent =
      error ? std::filesystem::path(path).parent_path() : file.parent_path();
  return parent.empty() ? "." : parent.string();
}

absl::Status CheckDirectory(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return Refuse(absl::StatusCode::kNotFound, path,
                  absl::StrCat("there is no directory ", directory, "; create it first"));
  }
  if (!IsAllowed(directory, W_OK | X_OK)) {
    return Refuse(absl::StatusCode::kPermissionDenied, path,
                  absl::StrCat("directory ", directory,
                               " is not writable, and SQLite keeps its log beside the "
                               "file; give this user write permission on the directory"));
  }
  return absl::OkStatus();
}

// What is at the path, as far as the file system tells.
enum class Found { kNothing, kEmptyFile, kFile };

absl::StatusOr<Found> LookAtPath(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("database: the path is empty; name a file");
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) {
    const int error = errno;
    if (error != ENOENT && error != ENOTDIR) {
      return RefuseErrno(error, path, "can not be looked at",
                         "check the permissions of its directories");
    }
    absl::Status directory = CheckDirectory(path);
    if (!directory.ok()) return directory;
    return Found::kNothing;
  }
  if (S_ISDIR(file.st_mode)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, path, "is a directory; name a file");
  }
  if (!S_ISREG(file.st_mode)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, path,
                  "is not a regular file; name one that is");
  }
  if (!IsAllowed(path, R_OK | W_OK)) {
    return Refuse(absl::StatusCode::kPermissionDenied, path,
                  "may not be read and written; give this user both permissions on the file");
  }
  absl::Status directory = CheckDirectory(path);
  if (!directory.ok()) return directory;
  return file.st_size == 0 ? Found::kEmptyFile : Found::kFile;
}

// Reads the file once from its begin, so that the system caches it: the check below takes its pages
// in the order of the trees, which a disk that has to seek, or a network's, gives at a sixtieth of
// its speed. Not of a file that memory would not hold. Errors are the check's to find.
void CacheFile(const std::string& path) {
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > static_cast<uintmax_t>(memory / 2)) return;
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // read() straight into `part`
  file.open(path, std::ios::binary);
  std::vector<char> part(1 << 20);
  while (file.read(part.data(), static_cast<std::streamsize>(part.size()))) {
  }
}

absl::Status QuickCheck(Connection& connection, const std::string& path) {
  QueryScope check(connection, "PRAGMA quick_check(1)");
  const absl::StatusOr<bool> row = check.Step();
  if (!row.ok()) return Explain(path, row.status());
  if (!*row || check.Text(0) != "ok")
    return RefuseDamaged(path, *row ? std::string(check.Text(0)) : "no answer");
  return absl::OkStatus();
}

// Everything that can be found wrong without changing anything.
absl::StatusOr<int> LookAtDatabase(const std::string& path, const DatabaseOptions& options) {
  CacheFile(path);  // while no connection has it open: to close it would end that one's locks
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      sqlite::OpenForInspection(path, options.busy_timeout_ms);
  if (!connection.ok()) return Explain(path, connection.status());
  absl::StatusOr<int> version = ReadSchemaVersion(**connection);
  if (!version.ok()) return Explain(path, version.status());
  absl::Status whole = QuickCheck(**connection, path);
  if (!whole.ok()) return whole;
  if (*version > 0 && *version < kSchemaVersion) {
    absl::Status upgradable = CheckUpgradable(**connection);
    if (!upgradable.ok()) return Explain(path, upgradable);
  }
  return version;
}

// The file, empty, with its mode: what SQLite creates would take the umask's.
absl::Status CreateFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (file < 0) {
    return RefuseErrno(errno, path, "can not be created",
                       "name another file, or check the directory");
  }
  const int changed = fchmod(file, kFileMode) == 0 ? 0 : errno;
  close(file);
  if (changed == 0) return absl::OkStatus();
  unlink(path.c_str());
  return RefuseErrno(changed, path, "can not be given mode 0640", "put it on another file system");
}

absl::Status FillNew(Connection& connection, const DatabaseOptions& options) {
  if (options.generate_users > 0) return GenerateUsers(connection, options.generate_users);
  return options.sample_users ? InsertSampleUsers(connection) : absl::OkStatus();
}

// The version is read again inside the transaction: another program may have been quicker.
absl::StatusOr<int> BringUpToDate(Connection& connection, const DatabaseOptions& options) {
  absl::StatusOr<Transaction> transaction =
      Transaction::Begin(connection, Transaction::Kind::kImmediate);
  if (!transaction.ok()) return transaction.status();
  absl::StatusOr<int> version = ReadSchemaVersion(connection);
  if (!version.ok()) return version;
  absl::Status status = MigrateSchema(connection, *version);
  if (status.ok() && *version == 0) status = FillNew(connection, options);
  if (status.ok()) status = EnsureIndexes(connection);
  if (status.ok()) status = transaction->Commit();
  if (!status.ok()) return status;
  return version;
}

absl::StatusOr<int> OpenAndBringUpToDate(const std::string& path, const DatabaseOptions& options) {
  ConnectionOptions connection_options(path, OpenMode::kReadWrite);
  connection_options.busy_timeout_ms = options.busy_timeout_ms;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(connection_options);
  if (!connection.ok()) return Explain(path, connection.status());
  absl::StatusOr<int> version = BringUpToDate(**connection, options);
  if (!version.ok()) return Explain(path, version.status());
  // After the transaction, so that a failed one leaves the file's header as it was.
  absl::Status logged = sqlite::SetWriteAheadLog(**connection);
  if (!logged.ok()) return Explain(path, logged);
  return version;
}

// The copy goes to a temporary file, not to memory, which the database may exceed.
constexpr char kRebuild[] =
    "PRAGMA temp_store = FILE; PRAGMA auto_vacuum = NONE; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)";

int64_t SizeOf(const std::string& path) {
  std::error_code ignored;
  return static_cast<int64_t>(std::filesystem::file_size(path, ignored));
}

absl::StatusOr<DatabaseRebuild> Rebuild(const std::string& path, const DatabaseOptions& options) {
  DatabaseRebuild rebuild;
  rebuild.bytes_before = SizeOf(path);
  const absl::Time begun = absl::Now();
  ConnectionOptions connection_options(path, OpenMode::kReadWrite);
  connection_options.busy_timeout_ms = options.busy_timeout_ms;
  connection_options.exclusive = true;  // nobody reads from the log, so that all of it can go
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(connection_options);
  if (!connection.ok()) return Explain(path, connection.status());
  const absl::Status rebuilt = (*connection)->Execute(kRebuild);
  if (absl::IsResourceExhausted(rebuilt)) {
    return Refuse(rebuilt.code(), path,
                  "the disk is too full to rebuild it; free up to twice its size, or leave it as "
                  "it is");
  }
  if (!rebuilt.ok()) return Explain(path, rebuilt);
  connection->reset();
  rebuild.time = absl::Now() - begun;
  rebuild.bytes_after = SizeOf(path);
  return rebuild;
}

void RemoveIfEmpty(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) != 0) return;
  std::filesystem::remove(path, ignored);
  std::filesystem::remove(absl::StrCat(path, "-journal"), ignored);
}

}  // namespace

absl::StatusOr<DatabaseInfo> PrepareDatabase(const std::string& path,
                                             const DatabaseOptions& options) {
  absl::StatusOr<Found> found = LookAtPath(path);
  if (!found.ok()) return found.status();
  if (*found == Found::kFile) {
    absl::StatusOr<int> version = LookAtDatabase(path, options);
    if (!version.ok()) return version.status();
  }
  if (*found == Found::kNothing) {
    absl::Status created = CreateFile(path);
    if (!created.ok()) return created;
  }
  absl::StatusOr<int> version = OpenAndBringUpToDate(path, options);
  if (!version.ok()) {
    if (*found == Found::kNothing) RemoveIfEmpty(path);
    return version.status();
  }
  DatabaseInfo info;
  info.created = *version == 0;
  info.found_version = *version;
  info.version = kSchemaVersion;
  if (options.rebuild && !info.created) {
    absl::StatusOr<DatabaseRebuild> rebuilt = Rebuild(path, options);
    if (!rebuilt.ok()) return rebuilt.status();
    info.rebuilt = *rebuilt;
  }
  return info;
}

}  // namespace userservice::store
