#include "client/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace userservice::cli {
namespace {

constexpr char kIsFileError[] = "userctl/file_error";
constexpr int64_t kSmallBytesMax = int64_t{1} << 20;

// A new name is on the disk once its folder is. Folders that can not be synced need no sync.
absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  absl::StatusOr<File> opened = File::Open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) return opened.status();
  return fsync(opened->fd()) == 0 || errno == EINVAL ? absl::OkStatus()
                                                     : FileError("write", folder);
}

}  // namespace

absl::Status FileError(std::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("can not ", absl::string_view(what.data(), what.size()),
                                           " ", path, ": ", std::strerror(error));
  absl::Status status =
      error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
  status.SetPayload(kIsFileError, absl::Cord());
  return status;
}

bool IsFileError(const absl::Status& status) { return status.GetPayload(kIsFileError).has_value(); }

absl::StatusOr<File> File::Open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (fd < 0) return FileError((flags & O_ACCMODE) == O_RDONLY ? "read" : "write", path);
  return File(path, fd);
}

absl::StatusOr<File> File::Duplicate(int fd, const std::string& path) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return FileError("read", path);
  return File(path, copy);
}

File::File(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) close(fd_);
}

bool File::IsRegular() const {
  struct stat status{};
  return fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
}

bool File::IsFolder() const {
  struct stat status{};
  return fstat(fd_, &status) == 0 && S_ISDIR(status.st_mode);
}

int64_t File::Bytes() const {
  struct stat status{};
  return fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

absl::Status File::Append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path_);
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status File::Truncate(int64_t bytes) {
  if (ftruncate(fd_, bytes) != 0 || lseek(fd_, bytes, SEEK_SET) < 0)
    return FileError("shorten", path_);
  return absl::OkStatus();
}

absl::Status File::Sync() {
  return fdatasync(fd_) == 0 || errno == EINVAL ? absl::OkStatus() : FileError("write", path_);
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const absl::StatusOr<File> file = File::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  if (file->Bytes() > kSmallBytesMax)
    return absl::FailedPreconditionError(absl::StrCat(path, " is not one of userctl's"));
  std::string text;
  std::array<char, 65536> block = {};
  for (;;) {
    const ssize_t bytes = read(file->fd(), block.data(), block.size());
    if (bytes < 0) return FileError("read", path);
    if (bytes == 0) return text;
    text.append(block.data(), static_cast<size_t>(bytes));
  }
}

absl::Status ReplaceFile(const std::string& path, std::string_view text) {
  const std::string fresh = absl::StrCat(path, ".new");
  {
    absl::StatusOr<File> file = File::Open(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.ok()) return file.status();
    if (fchmod(file->fd(), S_IRUSR | S_IWUSR) != 0) return FileError("write", fresh);
    absl::Status written = file->Append(text);
    if (written.ok()) written = file->Sync();
    if (!written.ok()) {
      unlink(fresh.c_str());
      return written;
    }
  }
  return RenameFile(fresh, path);
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return FileError("write", to);
  return SyncFolderOf(to);
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError("remove", path);
  return absl::OkStatus();
}

}  // namespace userservice::cli
