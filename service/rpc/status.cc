#include "service/rpc/status.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::rpc {
namespace {

constexpr std::string_view kErrorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

// The error as the caller may see it.
absl::Status Presentable(const absl::Status& status) {
  const bool from_catalogue = !errors::ReasonOf(status).empty();
  if (from_catalogue) return status;
  return errors::Internal("");
}

google::rpc::Status WithDetails(const absl::Status& status, std::string_view request_id) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(std::string(status.message()));
  google::rpc::RequestInfo request_info;
  request_info.set_request_id(std::string(request_id));

  std::vector<std::pair<std::string, std::string>> details;
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& payload) {
    const std::string_view type_url = errors::StdView(key);
    if (!type_url.starts_with(errors::kTypeUrlPrefix)) return;  // a note for the log
    details.emplace_back(std::string(type_url), std::string(payload));
  });
  // ErrorInfo first, then the small before the large, so that what does not fit is what tells least
  // per byte.
  std::sort(details.begin(), details.end(), [](const auto& a, const auto& b) {
    const auto rank = [](const auto& detail) {
      return std::pair(detail.first != kErrorInfoType, detail.second.size());
    };
    return rank(a) < rank(b);
  });
  proto.add_details()->PackFrom(request_info);
  for (auto& [type_url, payload] : details) {
    google::protobuf::Any* const any = proto.add_details();
    any->set_type_url(std::move(type_url));
    any->set_value(std::move(payload));
    if (proto.ByteSizeLong() > kDetailsBytesMax) proto.mutable_details()->RemoveLast();
  }
  // The reason first, for those who look no further.
  if (proto.details_size() > 1) proto.mutable_details()->SwapElements(0, 1);
  return proto;
}

}  // namespace

google::rpc::Status ToProtoStatus(const absl::Status& status, std::string_view request_id) {
  return WithDetails(Presentable(status), request_id);
}

grpc::Status ToGrpcStatus(const absl::Status& status, std::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  const absl::Status presentable = Presentable(status);
  return grpc::Status(static_cast<grpc::StatusCode>(presentable.code()),
                      std::string(presentable.message()),
                      WithDetails(presentable, request_id).SerializeAsString());
}

std::optional<std::string> PushbackMs(const absl::Status& status) {
  const absl::Duration retry_after = errors::RetryAfterOf(status);
  if (retry_after <= absl::ZeroDuration()) return std::nullopt;
  return absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(retry_after)));
}

std::string WithoutEmails(std::string_view text) {
  std::vector<std::string> words = absl::StrSplit(errors::AbslView(text), ' ');
  for (std::string& word : words) {
    if (word.find('@') != std::string::npos) word = "<e-mail>";
  }
  return absl::StrJoin(words, " ");
}

}  // namespace userservice::rpc
