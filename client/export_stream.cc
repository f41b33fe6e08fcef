#include "client/export_stream.h"

#include <utility>

#include "client/server_stream.h"

namespace userservice {

using users::v1::ExportUsersRequest;
using users::v1::ExportUsersResponse;

ExportStream::ExportStream(internal::Core* core, const ExportUsersRequest& request,
                           const CallOptions& options)
    : call_(std::make_unique<Call>(core, &internal::UserStub::PrepareAsyncExportUsers,
                                   "ExportUsers", request, options,
                                   core->options().stream_deadline)) {}

ExportStream::ExportStream(ExportStream&& other) noexcept = default;

ExportStream& ExportStream::operator=(ExportStream&& other) noexcept {
  std::swap(call_, other.call_);
  return *this;
}

ExportStream::~ExportStream() { Call::Drop(std::move(call_)); }

Task<absl::StatusOr<std::optional<ExportUsersResponse>>> ExportStream::Next() {
  return call_->Next();
}

}  // namespace userservice
