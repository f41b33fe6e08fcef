// grpc.health.v1 and server reflection, beside the service.
#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "client/cli/conformance/rules.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace userservice::cli::conformance {
namespace {

namespace health = ::grpc::health::v1;
namespace v1 = ::grpc::reflection::v1;
namespace v1alpha = ::grpc::reflection::v1alpha;

constexpr char kUserService[] = "users.v1.UserService";

std::string Checked(Probe& probe, const std::string& service) {
  CallScope call(probe.timeout(), probe.stop());
  health::HealthCheckRequest request;
  request.set_service(service);
  health::HealthCheckResponse response;
  const RpcError error(
      health::Health::NewStub(probe.channel())->Check(&call.context(), request, &response));
  if (error.outcome() != "OK") return error.outcome();
  return health::HealthCheckResponse::ServingStatus_Name(response.status());
}

void Serving(Probe& probe) {
  probe.Equal("the server's health", Checked(probe, ""), "SERVING");
  probe.Equal("the service's health", Checked(probe, kUserService), "SERVING");
}

void UnknownHealth(Probe& probe) {
  const std::string outcome = Checked(probe, "nobody.v1.Nothing");
  if (!absl::StartsWith(outcome, "NOT_FOUND")) probe.Note("the outcome", "NOT_FOUND", outcome);
}

void FirstStatusOfAWatch(Probe& probe) {
  const auto stub = health::Health::NewStub(probe.channel());
  for (const auto& [service, status] : {std::pair<std::string, std::string>("", "SERVING"),
                                        {kUserService, "SERVING"},
                                        {"nobody.v1.Nothing", "SERVICE_UNKNOWN"}}) {
    CallScope call(probe.timeout(), probe.stop());
    health::HealthCheckRequest request;
    request.set_service(service);
    const auto reader = stub->Watch(&call.context(), request);
    health::HealthCheckResponse response;
    if (!reader->Read(&response)) probe.Note("a watch of " + Shown(service), "a status", "its end");
    probe.Equal("the first status of " + Shown(service),
                health::HealthCheckResponse::ServingStatus_Name(response.status()), status);
    call.context().TryCancel();
    reader->Finish();
  }
}

struct ReflectionV1 {
  using Service = v1::ServerReflection;
  using Request = v1::ServerReflectionRequest;
  using Response = v1::ServerReflectionResponse;
};
struct ReflectionV1Alpha {
  using Service = v1alpha::ServerReflection;
  using Request = v1alpha::ServerReflectionRequest;
  using Response = v1alpha::ServerReflectionResponse;
};

template <class Version>
typename Version::Response Ask(Probe& probe, const typename Version::Request& request) {
  CallScope call(probe.timeout(), probe.stop());
  const auto stub = Version::Service::NewStub(probe.channel());
  const auto stream = stub->ServerReflectionInfo(&call.context());
  stream->Write(request);
  typename Version::Response response;
  const bool answered = stream->Read(&response);
  stream->WritesDone();
  const RpcError error(stream->Finish());
  if (!answered) probe.Note("ServerReflectionInfo", "an answer", Probe::Said(error));
  return response;
}

template <class Version>
void ListsServices(Probe& probe) {
  typename Version::Request request;
  request.set_list_services("");
  const typename Version::Response response = Ask<Version>(probe, request);
  std::set<std::string> names;
  for (const auto& service : response.list_services_response().service())
    names.insert(service.name());
  probe.True("users.v1.UserService is listed", names.count(kUserService) != 0);
  probe.True("grpc.health.v1.Health is listed", names.count("grpc.health.v1.Health") != 0);
}

void ResolvesTypes(Probe& probe) {
  for (const std::string symbol :
       {kUserService, "users.v1.User", "users.v1.ErrorReason", "google.rpc.ErrorInfo",
        "google.rpc.RequestInfo", "google.rpc.BadRequest"}) {
    v1::ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    const v1::ServerReflectionResponse response = Ask<ReflectionV1>(probe, request);
    google::protobuf::FileDescriptorProto file;
    const auto& files = response.file_descriptor_response().file_descriptor_proto();
    const bool readable = !files.empty() && std::all_of(files.begin(), files.end(),
                                                        [&file](const std::string& bytes) {
                                                          return file.ParseFromString(bytes);
                                                        });
    probe.True(symbol + " is resolved", readable);
  }
}

}  // namespace

Group ServingRules() {
  return {"health",
          {
              {"the server and the service are SERVING", Serving},
              {"a service that is not there is NOT_FOUND to Check", UnknownHealth},
              {"a health watch begins with the status", FirstStatusOfAWatch},
              {"reflection v1 lists the services", ListsServices<ReflectionV1>},
              {"reflection v1alpha lists the services", ListsServices<ReflectionV1Alpha>},
              {"reflection resolves the contract and the types of error details", ResolvesTypes},
          }};
}

}  // namespace userservice::cli::conformance
