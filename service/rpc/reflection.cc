#include "service/rpc/reflection.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

template <class Response>
void SetNotFound(Response& response, std::string_view what) {
  response.mutable_error_response()->set_error_code(static_cast<int>(absl::StatusCode::kNotFound));
  response.mutable_error_response()->set_error_message(
      absl::StrCat(errors::Excerpt(what), " is not known to this server"));
}

template <class FileResponse>
void AddWithImports(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
                    FileResponse& response) {
  if (!seen.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i)
    AddWithImports(*file.dependency(i), seen, response);
}

template <class Response>
void SetFile(Response& response, const FileDescriptor* file, std::string_view asked_for) {
  if (file == nullptr) {
    SetNotFound(response, asked_for);
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddWithImports(*file, seen, *response.mutable_file_descriptor_response());
}

}  // namespace

template <class Request, class Response>
void ReflectionService::Answer(const Request& request, Response& response) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kListServices:
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      return;
    case Request::kFileByFilename:
      return SetFile(response, pool.FindFileByName(request.file_by_filename()),
                     request.file_by_filename());
    case Request::kFileContainingSymbol:
      return SetFile(response, pool.FindFileContainingSymbol(request.file_containing_symbol()),
                     request.file_containing_symbol());
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const Descriptor* const type = pool.FindMessageTypeByName(wanted.containing_type());
      const FieldDescriptor* const extension =
          type == nullptr ? nullptr : pool.FindExtensionByNumber(type, wanted.extension_number());
      return SetFile(
          response, extension == nullptr ? nullptr : extension->file(),
          absl::StrCat("extension ", wanted.extension_number(), " of ", wanted.containing_type()));
    }
    case Request::kAllExtensionNumbersOfType: {
      const Descriptor* const type =
          pool.FindMessageTypeByName(request.all_extension_numbers_of_type());
      if (type == nullptr) return SetNotFound(response, request.all_extension_numbers_of_type());
      std::vector<const FieldDescriptor*> extensions;
      pool.FindAllExtensions(type, &extensions);
      auto& answer = *response.mutable_all_extension_numbers_response();
      answer.set_base_type_name(request.all_extension_numbers_of_type());
      for (const FieldDescriptor* extension : extensions)
        answer.add_extension_number(extension->number());
      return;
    }
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(
          static_cast<int>(absl::StatusCode::kInvalidArgument));
      response.mutable_error_response()->set_error_message("message_request is not set");
      return;
  }
}

template <class Request, class Response>
Task<absl::Status> ReflectionService::Serve(Call&, BidiStream<Request, Response>& stream) {
  Request request;
  for (;;) {
    const ReadResult read = co_await stream.Read(request);
    if (read == ReadResult::kEnd) co_return absl::OkStatus();
    if (read == ReadResult::kBad) co_return errors::MessageUnreadable();
    if (read == ReadResult::kDraining) co_return errors::ShuttingDown();
    Response response;
    Answer(request, response);
    const bool written = co_await stream.Write(response);
    if (!written) co_return errors::CallCancelled();
  }
}

template Task<absl::Status> ReflectionService::Serve(
    Call&, BidiStream<grpc::reflection::v1::ServerReflectionRequest,
                      grpc::reflection::v1::ServerReflectionResponse>&);
template Task<absl::Status> ReflectionService::Serve(
    Call&, BidiStream<grpc::reflection::v1alpha::ServerReflectionRequest,
                      grpc::reflection::v1alpha::ServerReflectionResponse>&);

}  // namespace userservice::rpc
