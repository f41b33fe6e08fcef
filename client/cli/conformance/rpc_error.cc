#include "client/cli/conformance/rpc_error.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "google/rpc/code.pb.h"
#include "users/v1/errors.pb.h"

namespace userservice::cli::conformance {
namespace {

constexpr size_t kDetailsBytesMax = 4096;

std::string CodeName(int code) {
  return google::rpc::Code_IsValid(code)
             ? google::rpc::Code_Name(static_cast<google::rpc::Code>(code))
             : absl::StrCat("code ", code);
}

bool IsPublished(const std::string& reason) {
  users::v1::ErrorReason parsed;
  return users::v1::ErrorReason_Parse("ERROR_REASON_" + reason, &parsed);
}

}  // namespace

RpcError::RpcError(const grpc::Status& status)
    : code_(status.error_code()), message_(status.error_message()), bytes_(status.error_details()) {
  if (!details_.ParseFromString(bytes_)) details_.Clear();
  Read();
}

RpcError::RpcError(const google::rpc::Status& status)
    : code_(status.code()),
      message_(status.message()),
      bytes_(status.SerializeAsString()),
      details_(status) {
  Read();
}

void RpcError::Read() {
  outcome_ = CodeName(code_);
  const std::string reason = Get<google::rpc::ErrorInfo>().reason();
  if (!reason.empty()) absl::StrAppend(&outcome_, " / ", reason);
}

template <class Detail>
Detail RpcError::Get() const {
  Detail detail;
  for (const google::protobuf::Any& any : details_.details()) {
    if (any.Is<Detail>() && any.UnpackTo(&detail)) return detail;
  }
  return Detail();
}

std::vector<std::string> RpcError::fields() const {
  std::vector<std::string> fields;
  const auto bad_request = Get<google::rpc::BadRequest>();
  for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  return fields;
}

int RpcError::violations() const { return Get<google::rpc::BadRequest>().field_violations_size(); }

std::string RpcError::metadata(const std::string& key) const {
  const auto info = Get<google::rpc::ErrorInfo>();
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : found->second;
}

google::rpc::ResourceInfo RpcError::resource() const { return Get<google::rpc::ResourceInfo>(); }

std::string RpcError::Malformation() const {
  if (code_ == 0) return "";
  if (bytes_.empty()) return "there are no details";
  if (bytes_.size() > kDetailsBytesMax)
    return absl::StrCat("the details have ", bytes_.size(), " bytes");
  if (details_.code() != code_ || details_.message() != message_)
    return "the details are not a google.rpc.Status of this code and message";
  std::set<std::string> types;
  for (const google::protobuf::Any& any : details_.details()) {
    if (!types.insert(any.type_url()).second)
      return absl::StrCat(any.type_url(), " is there more than once");
  }
  const auto info = Get<google::rpc::ErrorInfo>();
  if (info.domain() != "users.v1")
    return absl::StrCat("the domain of ErrorInfo is \"", info.domain(), "\"");
  if (!IsPublished(info.reason()))
    return absl::StrCat("\"", info.reason(), "\" is no published reason");
  if (Get<google::rpc::RequestInfo>().request_id().empty()) return "RequestInfo has no request_id";
  return "";
}

}  // namespace userservice::cli::conformance
