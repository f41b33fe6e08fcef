// ExportFile: the file of an export, right whenever the program is killed or the disk is full.
//
// What comes is written to FILE.partial. FILE.export-state says how many bytes of it belong to
// which resume token; it is replaced now and then, each time after those bytes are on the disk.
// When all has come, FILE.partial is synced and renamed to FILE, which so is whole or as it was
// before, and then the state is removed. The next run of the same export cuts FILE.partial to what
// the state says, and goes on from the token.
//
// What is not a regular file, like a device or a named pipe, is written as it is, and can not go
// on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/files.h"
#include "client/cli/output.h"

namespace userservice::cli {

// Which export it is, and how far it has come.
struct ExportState {
  ExportState() = default;
  std::string server;
  std::string filter;
  OutputFormat format = OutputFormat::kJson;
  std::string resume_token;  // empty: from the beginning
  int64_t users = 0;
  int64_t bytes = 0;
};

std::string ExportStateText(const ExportState& state);
absl::StatusOr<ExportState> ParseExportState(const std::string& text);

class ExportFile {
 public:
  // Goes on where an earlier run of `wanted` ended; FAILED_PRECONDITION if there is one of another
  // export, or one that runs now.
  static absl::StatusOr<ExportFile> Open(const std::string& path, const ExportState& wanted);

  const ExportState& state() const { return state_; }
  // Whether the same export would go on from here.
  bool can_go_on() const { return saved_; }
  std::string partial_path() const { return path_ + ".partial"; }
  std::string state_path() const { return path_ + ".export-state"; }

  // `text` are the users up to `resume_token`, so many in all.
  absl::Status Append(std::string_view text, const std::string& resume_token, int64_t users);
  // What was appended, and how to go on from it, is on the disk.
  absl::Status Save();
  // All has come.
  absl::Status Finish();
  // No more will come now. Leaves nothing behind from which nobody can go on.
  void GiveUp() const;

 private:
  ExportFile(std::string path, File file, bool is_resumable, ExportState state);
  absl::Status GoOn();

  std::string path_;
  File file_;
  bool is_resumable_;
  ExportState state_;
  bool saved_ = false;  // there is a state
  absl::Time next_save_ = absl::InfinitePast();
};

}  // namespace userservice::cli
