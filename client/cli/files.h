// Files that a transfer leaves behind, so that they are right whenever the program is killed: each
// function's error says the path and the system's reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace userservice::cli {

// "can not WHAT PATH: No space left on device", for the current errno; NOT_FOUND for ENOENT, else
// FAILED_PRECONDITION.
absl::Status FileError(std::string_view what, const std::string& path);

// Whether an error was made by FileError, and not by an RPC.
bool IsFileError(const absl::Status& status);

// A file descriptor. Closed with the object.
class File {
 public:
  // `flags` of open(2).
  static absl::StatusOr<File> Open(const std::string& path, int flags);
  // Another descriptor of what `fd` is open on; `path` is for errors.
  static absl::StatusOr<File> Duplicate(int fd, const std::string& path);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  bool IsRegular() const;
  bool IsFolder() const;
  // 0 if it is not regular.
  int64_t Bytes() const;

  // All of it, or an error.
  absl::Status Append(std::string_view text);
  // The first `bytes` stay, and the next Append follows them.
  absl::Status Truncate(int64_t bytes);
  // What was appended is on the disk.
  absl::Status Sync();

 private:
  File(std::string path, int fd);

  std::string path_;
  int fd_;
};

// The whole of a file that is small.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// `path` has `text`, and is on the disk: all of it, or what it had before. Only its owner may read
// it.
absl::Status ReplaceFile(const std::string& path, std::string_view text);

// From `from` to `to`, on the disk, over a file that may be there.
absl::Status RenameFile(const std::string& from, const std::string& to);

// No error if it is not there.
absl::Status RemoveFile(const std::string& path);

}  // namespace userservice::cli
