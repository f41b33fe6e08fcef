#include "client/cli/error_report.h"

#include "absl/status/status.h"
#include "client/cli/table.h"
#include "client/cli/terminal.h"
#include "client/cli/text_width.h"
#include "client/status.h"

namespace userservice::cli {
namespace {

// UNAVAILABLE without a reason is gRPC's own: nothing that speaks for the service has answered.
bool IsUnreachable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable && ReasonOf(status).empty();
}

// gRPC's messages wrap one another; the innermost, which is last, says it: "Connection refused".
std::string InnermostCause(const absl::Status& status) {
  const std::string message(status.message());
  const size_t last = message.rfind(": ");
  return last == std::string::npos ? message : message.substr(last + 2);
}

std::string RemedyFor(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason == "OVERLOADED") return "the server is busy: repeat the command in a moment";
  if (reason == "SHUTTING_DOWN")
    return "the server is stopping: repeat the command when it is back";
  if (reason == "PAGE_TOKEN_INVALID")
    return "a token belongs to one filter and order: start without it";
  if (status.code() == absl::StatusCode::kDeadlineExceeded) return "give it longer: --timeout=60s";
  return "";
}

bool OutcomeIsUnknown(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kCancelled;
}

void PrintLine(std::ostream& out, const std::string& key, const std::string& value) {
  if (!value.empty()) out << "  " << Pad(key, 13, Align::kLeft) << Printable(value) << '\n';
}

}  // namespace

void PrintError(std::ostream& out, const absl::Status& status, const std::string& server,
                const std::string& request_id, bool colours) {
  const Colour red = colours ? Colour::kRed : Colour::kNone;
  out << "userctl: ";
  if (IsUnreachable(status)) {
    out << Coloured("nothing answers at " + server, red) << " ("
        << Printable(InnermostCause(status))
        << "): is userd running there? Start it, or say where it is with --server=HOST:PORT\n";
  } else {
    out << Coloured(absl::StatusCodeToString(status.code()), red) << ": "
        << Printable(std::string(status.message())) << '\n';
    PrintLine(out, "reason", ReasonOf(status));
    for (const FieldViolation& violation : FieldViolationsOf(status)) {
      PrintLine(out, "field", violation.field + ": " + violation.description);
    }
    PrintLine(out, "request id", RequestIdOf(status));
    PrintLine(out, "remedy", RemedyFor(status));
  }
  if (OutcomeIsUnknown(status)) PrintHowToRepeat(out, request_id);
}

void PrintHowToRepeat(std::ostream& out, const std::string& request_id) {
  if (request_id.empty()) return;
  PrintLine(out, "to repeat", "add --request-id=" + request_id + ", and it is done once");
}

}  // namespace userservice::cli
