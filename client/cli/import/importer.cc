#include "client/cli/import/importer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "async/block_on.h"
#include "client/cli/text_width.h"
#include "client/request_id.h"

namespace userservice::cli {
namespace {

// A checkpoint costs a write to the disk. What was stored since the last is sent again when the
// program is killed, which costs less.
constexpr absl::Duration kSaveInterval = absl::Milliseconds(250);

absl::StatusOr<InputFormat> FormatOf(const ImportArguments& arguments) {
  if (arguments.format.has_value()) return *arguments.format;
  const std::optional<OutputFormat> format = FormatByName(arguments.path);
  if (!format.has_value()) {
    return absl::InvalidArgumentError(
        "say --format=csv or --format=jsonl: the name does not tell what is in it");
  }
  return *format == OutputFormat::kCsv ? InputFormat::kCsv : InputFormat::kJsonLines;
}

std::string NameOf(const std::string& path) {
  return path == "-" ? "standard input" : path.substr(path.rfind('/') + 1);
}

absl::StatusOr<File> OpenInput(const std::string& path) {
  absl::StatusOr<File> file =
      path == "-" ? File::Duplicate(STDIN_FILENO, "standard input") : File::Open(path, O_RDONLY);
  if (!file.ok() || !file->IsFolder()) return file;
  errno = EISDIR;
  return FileError("read", path);
}

// Whether `path` is this very file, by whatever name.
bool IsSameFile(const File& file, const std::string& path) {
  struct stat one = {};
  struct stat other = {};
  return fstat(file.fd(), &one) == 0 && stat(path.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

absl::Status About(const std::string& what, const absl::Status& status) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", status.message()));
}

}  // namespace

Importer::Importer(const ImportArguments& arguments, const Globals& globals, std::stop_token stop)
    : arguments_(arguments), globals_(globals), stop_(std::move(stop)) {}

absl::Status Importer::Open() {
  const absl::StatusOr<InputFormat> format = FormatOf(arguments_);
  if (!format.ok()) return format.status();
  absl::StatusOr<File> file = OpenInput(arguments_.path);
  if (!file.ok()) return file.status();
  if (file->IsRegular() && IsSameFile(*file, arguments_.rejected_path))
    return absl::InvalidArgumentError("--rejected names the file that is imported");
  is_resumable_ = arguments_.path != "-" && file->IsRegular();
  state_path_ = arguments_.state_path.empty() ? absl::StrCat(arguments_.path, ".import-state")
                                              : arguments_.state_path;
  if (arguments_.rejected_path == state_path_)
    return absl::InvalidArgumentError("--rejected names the file of the import's state");
  done_.import_id = NewRequestId();
  done_.server = globals_.server;
  done_.rejected_path = arguments_.rejected_path;
  done_.format = *format;
  done_.file_bytes = file->Bytes();
  if (is_resumable_) {
    const absl::StatusOr<bool> loaded = LoadCheckpoint();
    if (!loaded.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("can not go on from ", state_path_, ": ", loaded.status().message(),
                       "; remove it to import the file from its beginning"));
    }
    saved_ = *loaded;
  }
  if (const absl::Status opened = OpenChunks(*std::move(file)); !opened.ok()) return opened;
  if (!arguments_.rejected_path.empty()) {
    absl::StatusOr<RejectedFile> rejected =
        RejectedFile::Open(arguments_.rejected_path, done_.rejected_file_bytes);
    if (!rejected.ok()) return rejected.status();
    rejected_file_ = *std::move(rejected);
    done_.rejected_file_bytes = rejected_file_->bytes();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Importer::LoadCheckpoint() {
  const absl::StatusOr<std::string> text = ReadSmallFile(state_path_);
  if (absl::IsNotFound(text.status())) return false;
  if (!text.ok()) return text.status();
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(*text);
  if (!checkpoint.ok()) return checkpoint.status();
  const absl::Status may_go_on = MayGoOn(*checkpoint, done_);
  if (!may_go_on.ok()) return may_go_on;
  done_ = *std::move(checkpoint);
  return true;
}

absl::Status Importer::OpenChunks(File file) {
  auto lines = std::make_unique<LineReader>(std::move(file), stop_);
  absl::StatusOr<std::unique_ptr<RecordParser>> records = MakeRecordParser(done_.format, *lines);
  if (!records.ok()) return About(NameOf(arguments_.path), records.status());
  if (done_.end.offset > 0) {
    absl::Status skipped = lines->SkipTo(done_.end.offset, done_.end.line);
    if (absl::IsCancelled(skipped)) return skipped;
    if (skipped.ok() && lines->hash() != done_.end.hash)
      skipped = absl::FailedPreconditionError("the part that was imported has changed since");
    if (!skipped.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("can not go on from ", state_path_, ": ", skipped.message(),
                       "; remove it to import the file from its beginning"));
    }
    std::cerr << "userctl: going on after line " << WithThousands(done_.end.line) << " ("
              << state_path_ << ")\n";
  }
  const auto notice = [this](const std::string& text) { Say(text); };
  chunks_ = std::make_unique<ChunkReader>(std::move(lines), *std::move(records), done_.import_id,
                                          done_.chunks + 1, notice);
  return absl::OkStatus();
}

absl::Status Importer::Run(UserClient& client) {
  // Before anything is sent: else nobody would know with which ids it was.
  if (!saved_) {
    if (const absl::Status saved = Save(); !saved.ok()) return saved;
  }
  progress_.emplace(ProgressMeter(NameOf(arguments_.path), done_.file_bytes, done_.end.offset,
                                  done_.created, absl::Now()));
  ImportOptions options;
  options.call.observer = [this](const CallRecord& call) {
    if (absl::IsUnavailable(call.status)) ++breaks_;
  };
  absl::Status status;
  {
    ImportStream import = client.ImportUsers(options);
    status = SendAll(import);
  }
  progress_.reset();
  if (!status.ok() && saved_) {
    const absl::Status saved = Save();
    if (!saved.ok()) std::cerr << "userctl: " << saved.message() << '\n';
    return status;
  }
  if (status.ok()) status = SyncRejectedFile();
  if (!status.ok() || !is_resumable_) return status;
  return RemoveFile(state_path_);
}

absl::Status Importer::SendAll(ImportStream& import) {
  for (;;) {
    absl::StatusOr<std::optional<Chunk>> chunk = chunks_->Next();
    if (!chunk.ok()) return chunk.status();
    if (!chunk->has_value()) break;
    const absl::StatusOr<ImportStream::Outcome> outcome =
        BlockOn(import.Write((*chunk)->request), stop_);
    if (!outcome.ok()) return outcome.status();
    in_flight_.push_back(**std::move(chunk));
    if (const absl::Status taken = Take(*outcome); !taken.ok()) return taken;
  }
  for (;;) {
    const absl::StatusOr<ImportStream::Outcome> outcome = BlockOn(import.Next(), stop_);
    if (!outcome.ok()) return outcome.status();
    if (!outcome->has_value()) return absl::OkStatus();
    if (const absl::Status taken = Take(*outcome); !taken.ok()) return taken;
  }
}

absl::Status Importer::Take(const ImportStream::Outcome& outcome) {
  if (const int breaks = breaks_; breaks > std::exchange(breaks_told_, breaks))
    Say(absl::StrCat("broken off after ", UserCount(done_.created), ", going on"));
  if (!outcome.has_value()) return absl::OkStatus();
  Chunk chunk = std::move(in_flight_.front());
  in_flight_.pop_front();
  const int64_t number = chunk.request.sequence();
  const Position end = chunk.end;
  const std::vector<RejectedLine> rejected = RejectedOf(std::move(chunk), *outcome);
  // First: where that fails the chunk is not done, and its lines are rejected again.
  if (rejected_file_.has_value()) {
    const absl::Status appended = rejected_file_->Append(rejected);
    if (!appended.ok()) return appended;
    done_.rejected_file_bytes = rejected_file_->bytes();
  }
  done_.chunks = number;
  done_.end = end;
  done_.created += outcome->created_count();
  done_.rejected += static_cast<int64_t>(rejected.size());
  for (const RejectedLine& line : rejected) {
    if (done_.listed.size() == kListedMax) break;
    done_.listed.push_back({line.line, line.reason, {}});
  }
  progress_->Show(done_.end.offset, done_.created);
  return absl::Now() < next_save_ ? absl::OkStatus() : Save();
}

absl::Status Importer::Save() {
  if (!is_resumable_) return absl::OkStatus();
  next_save_ = absl::Now() + kSaveInterval;
  // The checkpoint says how long it is.
  if (const absl::Status synced = SyncRejectedFile(); !synced.ok()) return synced;
  absl::Status saved = ReplaceFile(state_path_, CheckpointText(done_));
  saved_ = saved_ || saved.ok();
  return saved;
}

absl::Status Importer::SyncRejectedFile() {
  return rejected_file_.has_value() ? rejected_file_->Sync() : absl::OkStatus();
}

void Importer::Say(const std::string& text) {
  if (progress_.has_value()) progress_->Clear();
  std::cerr << "userctl: " << text << '\n';
}

}  // namespace userservice::cli
