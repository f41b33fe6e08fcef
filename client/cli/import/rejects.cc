#include "client/cli/import/rejects.h"

#include <fcntl.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/csv.h"
#include "client/cli/table.h"
#include "client/cli/text_width.h"
#include "client/status.h"

namespace userservice::cli {
namespace {

std::string ReasonText(const absl::Status& status) {
  std::string reason;
  for (const FieldViolation& violation : FieldViolationsOf(status)) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ",
                    absl::StripPrefix(violation.field, "user."), ": ", violation.description);
  }
  return reason.empty() ? std::string(status.message()) : reason;
}

}  // namespace

std::vector<RejectedLine> RejectedOf(Chunk chunk, const users::v1::ImportUsersResponse& outcome) {
  std::vector<RejectedLine> all = std::move(chunk.rejected);
  for (const auto& failure : outcome.failures()) {
    if (failure.index() < 0 || failure.index() >= chunk.request.users_size()) continue;
    RejectedLine& rejected = all.emplace_back();
    rejected.line = chunk.lines[static_cast<size_t>(failure.index())];
    rejected.reason = ReasonText(StatusFromProto(failure.status()));
    rejected.user = std::move(*chunk.request.mutable_users(failure.index()));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  return all;
}

absl::StatusOr<RejectedFile> RejectedFile::Open(const std::string& path, int64_t bytes) {
  absl::StatusOr<File> file =
      File::Open(path, bytes == 0 ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY);
  if (!file.ok()) return file.status();
  if (bytes > 0 && !file->IsRegular()) return RejectedFile(*std::move(file), bytes);
  if (bytes > 0) {
    if (file->Bytes() < bytes)
      return absl::FailedPreconditionError(absl::StrCat(path, " is shorter than it was"));
    const absl::Status cut = file->Truncate(bytes);
    if (!cut.ok()) return cut;
    return RejectedFile(*std::move(file), bytes);
  }
  std::ostringstream title;
  WriteCsvRow(title, {"line", "reason", "name", "email", "age"});
  const absl::Status written = file->Append(title.str());
  if (!written.ok()) return written;
  return RejectedFile(*std::move(file), static_cast<int64_t>(title.str().size()));
}

absl::Status RejectedFile::Append(const std::vector<RejectedLine>& lines) {
  std::ostringstream rows;
  for (const RejectedLine& line : lines) {
    WriteCsvRow(rows, {absl::StrCat(line.line), line.reason, line.user.name(), line.user.email(),
                       line.user.has_age() ? absl::StrCat(line.user.age()) : ""});
  }
  bytes_ += static_cast<int64_t>(rows.str().size());
  return file_.Append(rows.str());
}

void PrintRejected(std::ostream& out, const std::vector<RejectedLine>& listed, int64_t total,
                   const std::string& rejected_path) {
  size_t width = 0;
  for (const RejectedLine& rejected : listed)
    width = std::max(width, WithThousands(rejected.line).size());
  for (const RejectedLine& rejected : listed) {
    out << "  line " << Pad(WithThousands(rejected.line), static_cast<int>(width), Align::kRight)
        << "  " << Printable(rejected.reason) << '\n';
  }
  const int64_t more = total - static_cast<int64_t>(listed.size());
  if (more > 0) out << "  and " << WithThousands(more) << " more\n";
  if (total == 0) return;
  if (!rejected_path.empty()) {
    out << "  all of them: " << rejected_path << '\n';
  } else if (more > 0) {
    out << "  --rejected=FILE gives all of them\n";
  }
}

}  // namespace userservice::cli
