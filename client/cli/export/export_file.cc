#include "client/cli/export/export_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/state_text.h"

namespace userservice::cli {
namespace {

constexpr char kExportTitle[] = "userctl export 1";
constexpr absl::Duration kSaveEvery = absl::Milliseconds(500);

std::string NameOfFormat(OutputFormat format) {
  return format == OutputFormat::kCsv ? "csv" : "json";
}

// The file itself where `path` is a link to one: a rename would replace the link.
std::string Resolved(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

absl::Status SameExport(const ExportState& earlier, const ExportState& wanted) {
  if (earlier.server != wanted.server)
    return absl::FailedPreconditionError(absl::StrCat("of --server=", earlier.server));
  if (earlier.filter != wanted.filter)
    return absl::FailedPreconditionError(absl::StrCat("of --filter='", earlier.filter, "'"));
  if (earlier.format != wanted.format) {
    return absl::FailedPreconditionError(
        absl::StrCat("of --output=", NameOfFormat(earlier.format)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ExportStateText(const ExportState& state) {
  StateText text(kExportTitle);
  text.Add("server", state.server);
  text.Add("filter", state.filter);
  text.Add("output", NameOfFormat(state.format));
  text.Add("resume_token", state.resume_token);
  text.Add("users", state.users);
  text.Add("bytes", state.bytes);
  return text.ToText();
}

absl::StatusOr<ExportState> ParseExportState(const std::string& text) {
  const absl::StatusOr<StateText> parsed = StateText::Parse(kExportTitle, text);
  if (!parsed.ok()) return parsed.status();
  ExportState state;
  std::string format;
  for (const auto& [key, value] :
       {std::pair("server", &state.server), std::pair("filter", &state.filter),
        std::pair("output", &format), std::pair("resume_token", &state.resume_token)}) {
    absl::StatusOr<std::string> read = parsed->Get(key);
    if (!read.ok()) return read.status();
    *value = *std::move(read);
  }
  for (const auto& [key, value] :
       {std::pair("users", &state.users), std::pair("bytes", &state.bytes)}) {
    const absl::StatusOr<int64_t> read = parsed->GetNumber(key);
    if (!read.ok()) return read.status();
    *value = *read;
  }
  state.format =
      format == NameOfFormat(OutputFormat::kCsv) ? OutputFormat::kCsv : OutputFormat::kJson;
  return state;
}

ExportFile::ExportFile(std::string path, File file, bool is_resumable, ExportState state)
    : path_(std::move(path)),
      file_(std::move(file)),
      is_resumable_(is_resumable),
      state_(std::move(state)) {}

absl::StatusOr<ExportFile> ExportFile::Open(const std::string& path, const ExportState& wanted) {
  const std::string real = Resolved(path);
  struct stat there{};
  const bool exists = stat(real.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode)) {
    absl::StatusOr<File> device = File::Open(real, O_WRONLY);
    if (!device.ok()) return device.status();
    return ExportFile(real, *std::move(device), /*is_resumable=*/false, wanted);
  }
  // Replacing a file needs no right to write it; that one may not is meant, all the same.
  if (exists) {
    const absl::StatusOr<File> writable = File::Open(real, O_WRONLY);
    if (!writable.ok()) return writable.status();
  }
  absl::StatusOr<File> partial = File::Open(absl::StrCat(real, ".partial"), O_WRONLY | O_CREAT);
  if (!partial.ok()) return partial.status();
  // Who may read FILE may read what replaces it, and nobody else.
  if (exists && fchmod(partial->fd(), there.st_mode & 07777) != 0)
    return FileError("write", partial->path());
  ExportFile file(real, *std::move(partial), /*is_resumable=*/true, wanted);
  if (flock(file.file_.fd(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("another userctl exports to ", real, " now"));
  }
  // Until the lock was ours, another may have made FILE of it.
  struct stat locked{};
  struct stat named{};
  if (fstat(file.file_.fd(), &locked) != 0 || stat(file.partial_path().c_str(), &named) != 0 ||
      locked.st_ino != named.st_ino) {
    return absl::FailedPreconditionError(
        absl::StrCat("another userctl has just exported to ", real));
  }
  if (const absl::Status went_on = file.GoOn(); !went_on.ok()) return went_on;
  return file;
}

// Takes up the earlier run's state, if there is one whose bytes are there.
absl::Status ExportFile::GoOn() {
  const absl::StatusOr<std::string> text = ReadSmallFile(state_path());
  if (absl::IsNotFound(text.status())) return file_.Truncate(0);
  if (!text.ok()) return text.status();
  absl::StatusOr<ExportState> earlier = ParseExportState(*text);
  const absl::Status same = earlier.ok() ? SameExport(*earlier, state_) : earlier.status();
  if (!same.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("can not go on from ", state_path(),
                                                      ": it is ", same.message(),
                                                      "; remove it to export from the beginning"));
  }
  if (file_.Bytes() < earlier->bytes) return file_.Truncate(0);
  state_ = *std::move(earlier);
  saved_ = true;
  return file_.Truncate(state_.bytes);
}

absl::Status ExportFile::Append(std::string_view text, const std::string& resume_token,
                                int64_t users) {
  if (const absl::Status appended = file_.Append(text); !appended.ok()) return appended;
  state_.resume_token = resume_token;
  state_.users = users;
  state_.bytes += static_cast<int64_t>(text.size());
  return absl::Now() < next_save_ ? absl::OkStatus() : Save();
}

absl::Status ExportFile::Save() {
  if (!is_resumable_) return absl::OkStatus();
  next_save_ = absl::Now() + kSaveEvery;
  if (const absl::Status synced = file_.Sync(); !synced.ok()) return synced;
  absl::Status replaced = ReplaceFile(state_path(), ExportStateText(state_));
  saved_ = saved_ || replaced.ok();
  return replaced;
}

absl::Status ExportFile::Finish() {
  if (!is_resumable_) return absl::OkStatus();
  if (const absl::Status synced = file_.Sync(); !synced.ok()) return synced;
  if (const absl::Status renamed = RenameFile(partial_path(), path_); !renamed.ok()) return renamed;
  return RemoveFile(state_path());
}

void ExportFile::GiveUp() const {
  if (is_resumable_ && !saved_) RemoveFile(partial_path()).IgnoreError();
}

}  // namespace userservice::cli
