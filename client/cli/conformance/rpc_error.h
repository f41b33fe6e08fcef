// RpcError: the end of a call as its details tell it, read without trusting them.
//
//   const RpcError error(status);
//   error.outcome();      // "NOT_FOUND / USER_NOT_FOUND", or "OK"
//   error.fields();       // of BadRequest: {"user.email"}
#pragma once

#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace userservice::cli::conformance {

class RpcError {
 public:
  RpcError() : RpcError(grpc::Status::OK) {}
  explicit RpcError(const grpc::Status& status);
  // As it stands in an answer, of ImportUsers for example.
  explicit RpcError(const google::rpc::Status& status);

  const std::string& outcome() const { return outcome_; }
  const std::string& message() const { return message_; }
  std::vector<std::string> fields() const;
  std::string metadata(const std::string& key) const;  // "" if it has no such key
  google::rpc::ResourceInfo resource() const;
  int violations() const;

  // What every error of the contract must be and this one is not; "" if nothing.
  std::string Malformation() const;

 private:
  template <class Detail>
  Detail Get() const;
  void Read();

  int code_ = 0;
  std::string message_;
  std::string bytes_;  // of the details
  google::rpc::Status details_;
  std::string outcome_;
};

}  // namespace userservice::cli::conformance
