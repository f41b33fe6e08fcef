// Rejects: the lines that were not imported. The first of them are listed, and all are written to a
// file if one is wanted.
//
// The file is CSV: line,reason,name,email,age. Once its users are right it can be imported.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "client/cli/import/chunks.h"
#include "users/v1/user_service.pb.h"

namespace userservice::cli {

// A chunk's rejected lines, its own and those of its outcome, in their order in the file.
std::vector<RejectedLine> RejectedOf(Chunk chunk, const users::v1::ImportUsersResponse& outcome);

class RejectedFile {
 public:
  // A new one, or if `bytes` is not 0 one that goes on there.
  static absl::StatusOr<RejectedFile> Open(const std::string& path, int64_t bytes);

  absl::Status Append(const std::vector<RejectedLine>& lines);
  // What was appended is on the disk.
  absl::Status Sync() { return file_.Sync(); }
  int64_t bytes() const { return bytes_; }

 private:
  RejectedFile(File file, int64_t bytes) : file_(std::move(file)), bytes_(bytes) {}

  File file_;
  int64_t bytes_;
};

// "  line 17  email: must hold one @", a line each, and how many more there are.
void PrintRejected(std::ostream& out, const std::vector<RejectedLine>& listed, int64_t total,
                   const std::string& rejected_path);

}  // namespace userservice::cli
