#include "client/cli/import/checkpoint.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/state_text.h"

namespace userservice::cli {
namespace {

constexpr char kTitle[] = "userctl import 1";

std::string FormatName(InputFormat format) { return format == InputFormat::kCsv ? "csv" : "jsonl"; }

absl::Status ParseListed(const StateText& state, std::vector<RejectedLine>& listed) {
  for (const std::string& text : state.GetAll("rejected_line")) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
    RejectedLine& rejected = listed.emplace_back();
    if (!absl::SimpleAtoi(parts.first, &rejected.line))
      return absl::FailedPreconditionError("rejected_line has no number");
    rejected.reason = parts.second;
  }
  return absl::OkStatus();
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  StateText state(kTitle);
  state.Add("import_id", checkpoint.import_id);
  state.Add("server", checkpoint.server);
  state.Add("rejected_file", checkpoint.rejected_path);
  state.Add("format", FormatName(checkpoint.format));
  state.Add("file_bytes", checkpoint.file_bytes);
  state.Add("chunks", checkpoint.chunks);
  state.Add("offset", checkpoint.end.offset);
  state.Add("line", checkpoint.end.line);
  state.Add("hash", checkpoint.end.hash);
  state.Add("created", checkpoint.created);
  state.Add("rejected", checkpoint.rejected);
  state.Add("rejected_file_bytes", checkpoint.rejected_file_bytes);
  for (const RejectedLine& rejected : checkpoint.listed)
    state.Add("rejected_line", absl::StrCat(rejected.line, " ", rejected.reason));
  return state.ToText();
}

absl::StatusOr<Checkpoint> ParseCheckpoint(const std::string& text) {
  const absl::StatusOr<StateText> state = StateText::Parse(kTitle, text);
  if (!state.ok()) return state.status();
  Checkpoint checkpoint;
  std::string format;
  for (const auto& [key, value] :
       {std::pair("import_id", &checkpoint.import_id), std::pair("server", &checkpoint.server),
        std::pair("rejected_file", &checkpoint.rejected_path), std::pair("format", &format),
        std::pair("hash", &checkpoint.end.hash)}) {
    absl::StatusOr<std::string> read = state->Get(key);
    if (!read.ok()) return read.status();
    *value = *std::move(read);
  }
  for (const auto& [key, value] :
       {std::pair("file_bytes", &checkpoint.file_bytes), std::pair("chunks", &checkpoint.chunks),
        std::pair("offset", &checkpoint.end.offset), std::pair("line", &checkpoint.end.line),
        std::pair("created", &checkpoint.created), std::pair("rejected", &checkpoint.rejected),
        std::pair("rejected_file_bytes", &checkpoint.rejected_file_bytes)}) {
    const absl::StatusOr<int64_t> read = state->GetNumber(key);
    if (!read.ok()) return read.status();
    *value = *read;
  }
  checkpoint.format =
      format == FormatName(InputFormat::kCsv) ? InputFormat::kCsv : InputFormat::kJsonLines;
  const absl::Status listed = ParseListed(*state, checkpoint.listed);
  if (!listed.ok()) return listed;
  return checkpoint;
}

absl::Status MayGoOn(const Checkpoint& earlier, const Checkpoint& wanted) {
  if (earlier.server != wanted.server) {
    return absl::FailedPreconditionError(
        absl::StrCat("it was begun with --server=", earlier.server));
  }
  if (earlier.format != wanted.format) {
    return absl::FailedPreconditionError(
        absl::StrCat("it was begun with --format=", FormatName(earlier.format)));
  }
  if (earlier.rejected_path != wanted.rejected_path) {
    return absl::FailedPreconditionError(
        earlier.rejected_path.empty()
            ? "it was begun without --rejected"
            : absl::StrCat("it was begun with --rejected=", earlier.rejected_path));
  }
  if (earlier.file_bytes != wanted.file_bytes) {
    return absl::FailedPreconditionError(absl::StrCat("the file has changed since: it has ",
                                                      wanted.file_bytes, " bytes, and had ",
                                                      earlier.file_bytes));
  }
  return absl::OkStatus();
}

}  // namespace userservice::cli
