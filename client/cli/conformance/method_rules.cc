// Methods that are not there, and bytes that are no request.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/conformance/raw_call.h"
#include "client/cli/conformance/rules.h"
#include "google/protobuf/descriptor.h"

namespace userservice::cli::conformance {
namespace {

using google::protobuf::MethodDescriptor;

constexpr char kService[] = "/users.v1.UserService/";

std::vector<const MethodDescriptor*> Methods() {
  const auto& service =
      *users::v1::GetUserRequest::descriptor()->file()->FindServiceByName("UserService");
  std::vector<const MethodDescriptor*> methods;
  for (int i = 0; i < service.method_count(); ++i) methods.push_back(service.method(i));
  return methods;
}

void UnknownMethod(Probe& probe) {
  const RpcError error = CallRaw(probe, absl::StrCat(kService, "Nope"), "");
  probe.Equal("the outcome", error.outcome(), "UNIMPLEMENTED / METHOD_UNIMPLEMENTED");
  probe.Equal("what is wrong with the error", error.Malformation(), "");
}

void UnknownService(Probe& probe) {
  const RpcError error = CallRaw(probe, "/nobody.v1.Nothing/Get", "");
  probe.True("the outcome is UNIMPLEMENTED", absl::StartsWith(error.outcome(), "UNIMPLEMENTED"));
}

void ManyUnknownCalls(Probe& probe) {
  for (int i = 0; i < 300; ++i) {
    const RpcError error = CallRaw(probe, absl::StrCat(kService, "Nope"), "");
    if (!absl::StartsWith(error.outcome(), "UNIMPLEMENTED")) {
      probe.Note(absl::StrCat("call ", i + 1), "UNIMPLEMENTED", Probe::Said(error));
      return;
    }
  }
  probe.Create("Ann", "ann");
}

// With a request that changes nothing: empty, but for the method without which it would wait.
void EveryMethodAnswers(Probe& probe) {
  for (const MethodDescriptor* method : Methods()) {
    if (method->name() == "WatchUsers") continue;   // does not end
    if (method->name() == "ExportUsers") continue;  // of everybody takes long
    const RpcError error = CallRaw(probe, kService + method->name(), "");
    const bool answered = !absl::StartsWith(error.outcome(), "DEADLINE_EXCEEDED") &&
                          !absl::StartsWith(error.outcome(), "UNIMPLEMENTED");
    if (!answered) probe.Note(method->name(), "an answer", Probe::Said(error));
  }
}

void BytesThatAreNoRequest(Probe& probe) {
  for (const MethodDescriptor* method : Methods()) {
    const RpcError error = CallRaw(probe, kService + method->name(), "\xff\xff\xff");
    const bool refused =
        error.outcome() != "OK" && !absl::StartsWith(error.outcome(), "DEADLINE_EXCEEDED");
    if (!refused) probe.Note(method->name(), "an error", Probe::Said(error));
  }
  probe.Create("Ann", "ann");
}

void UnknownFields(Probe& probe) {
  const users::v1::User ann = probe.Create("Ann", "ann");
  users::v1::GetUserRequest request;
  request.set_user_id(ann.user_id());
  // Field 1000, a varint: what a newer client might send.
  const std::string newer = request.SerializeAsString() + std::string("\xc0\x3e\x01", 3);
  probe.Equal("the outcome", CallRaw(probe, absl::StrCat(kService, "GetUser"), newer).outcome(),
              "OK");
}

}  // namespace

Group MethodRules() {
  return {"methods",
          {
              {"a method that is not there is UNIMPLEMENTED, with a reason", UnknownMethod},
              {"a service that is not there is UNIMPLEMENTED", UnknownService},
              {"many calls of a method that is not there do no harm", ManyUnknownCalls},
              {"every method of the contract answers", EveryMethodAnswers},
              {"bytes that are no request are refused, and the server serves on",
               BytesThatAreNoRequest},
              {"fields of a newer client are ignored", UnknownFields},
          }};
}

}  // namespace userservice::cli::conformance
