#include "service/rpc/health.h"

#include <algorithm>
#include <optional>

#include "service/errors/errors.h"

namespace userservice::rpc {

void HealthService::StopServing() {
  serving_.store(false);
  changes_.Publish(changes_.value() + 1);
}

HealthService::Response::ServingStatus HealthService::StatusOf(std::string_view service) const {
  const bool known =
      service.empty() || std::find(services_.begin(), services_.end(), service) != services_.end();
  if (!known) return Response::SERVICE_UNKNOWN;
  return serving_.load() ? Response::SERVING : Response::NOT_SERVING;
}

Task<absl::StatusOr<HealthService::Response>> HealthService::Check(Call&, const Request& request) {
  Response response;
  response.set_status(StatusOf(request.service()));
  if (response.status() == Response::SERVICE_UNKNOWN)
    co_return errors::ServiceUnknown(request.service());
  co_return response;
}

Task<absl::Status> HealthService::Watch(Call&, const Request& request,
                                        ServerStream<Response>& stream) {
  Response response;
  std::optional<Response::ServingStatus> sent;
  for (;;) {
    const int64_t seen = changes_.value();
    // Asked before the status, so that what is sent last is NOT_SERVING.
    const bool is_last = !serving_.load();
    response.set_status(StatusOf(request.service()));
    if (sent != response.status()) {
      const bool written = co_await stream.Write(response);
      if (!written) co_return errors::CallCancelled();
      sent = response.status();
    }
    if (is_last) co_return errors::ShuttingDown();
    const bool changed = co_await changes_.WaitFor(seen + 1);
    if (!changed) co_return errors::CallCancelled();
  }
}

}  // namespace userservice::rpc
