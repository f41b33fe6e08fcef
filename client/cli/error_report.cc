#include "client/cli/error_report.h"

#include "absl/status/status.h"
#include "client/cli/text_width.h"
#include "client/status.h"

namespace userservice::cli {
namespace {

// UNAVAILABLE without a reason is gRPC's own: nothing that speaks for the service has answered.
bool IsUnreachable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable && ReasonOf(status).empty();
}

std::string RemedyFor(const absl::Status& status, const std::string& server) {
  const std::string reason = ReasonOf(status);
  if (IsUnreachable(status)) return "nothing answers at " + server + ": is userd running? ./run serve";
  if (reason == "OVERLOADED") return "the server is busy: repeat the command in a moment";
  if (reason == "SHUTTING_DOWN") return "the server is stopping: repeat the command when it is back";
  if (reason == "ETAG_MISMATCH") return "the user has changed since: get it again and use its new etag";
  if (reason == "PAGE_TOKEN_INVALID") return "a token belongs to one filter and order: start without it";
  if (status.code() == absl::StatusCode::kDeadlineExceeded) return "give it longer: --timeout=60s";
  return "";
}

bool OutcomeIsUnknown(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kCancelled;
}

}  // namespace

void PrintError(std::ostream& out, const absl::Status& status, const std::string& server,
                const std::string& request_id) {
  out << "userctl: " << absl::StatusCodeToString(status.code()) << ": "
      << Printable(std::string(status.message())) << '\n';
  if (const std::string reason = ReasonOf(status); !reason.empty()) out << "  reason:      " << reason << '\n';
  for (const FieldViolation& violation : FieldViolationsOf(status)) {
    out << "  field:       " << Printable(violation.field) << " " << Printable(violation.description) << '\n';
  }
  if (const std::string id = RequestIdOf(status); !id.empty()) out << "  request id:  " << Printable(id) << '\n';
  if (const std::string remedy = RemedyFor(status, server); !remedy.empty()) out << "  remedy:      " << remedy << '\n';
  if (!request_id.empty() && OutcomeIsUnknown(status)) {
    out << "  to repeat:   add --request-id=" << request_id << ", and it is done once\n";
  }
}

}  // namespace userservice::cli
