#include "service/sqlite/inspection.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace userservice::sqlite {
namespace {

bool HasContent(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return !error && size > 0;
}

// Byte 19 of the header is the version that a reader needs to know: 2 means a write-ahead log.
// Source: https://www.sqlite.org/fileformat.html, 1.3.3.
bool IsWriteAheadLogged(const std::string& path) {
  std::array<char, 20> header = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(header.data(), header.size()).good() && header[19] == 2;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> OpenForInspection(const std::string& path,
                                                              int busy_timeout_ms) {
  std::error_code ignored;
  ConnectionOptions options(path, OpenMode::kReadOnly);
  options.busy_timeout_ms = busy_timeout_ms;
  const std::string wal = absl::StrCat(path, "-wal");
  if (HasContent(absl::StrCat(path, "-journal"))) {
    // To roll it back takes a file that is open for writing; what remains of the guards stands.
    options.read_only_guards.open_flag = false;
  } else if (std::filesystem::exists(wal, ignored)) {
    options.keep_wal = true;
    options.exclusive = !std::filesystem::exists(absl::StrCat(path, "-shm"), ignored);
    options.read_only_guards.open_flag = false;  // locks and the index take more than reading
  } else if (IsWriteAheadLogged(path)) {
    options.immutable = true;
  }
  return Connection::Open(options);
}

}  // namespace userservice::sqlite
