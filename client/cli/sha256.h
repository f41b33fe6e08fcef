// SHA-256 of what is added piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // NOLINT(readability-identifier-naming): of <openssl/evp.h>

namespace userservice::cli {

class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Add(std::string_view bytes);
  // The 32 bytes of what was added so far. More may follow.
  std::string Digest() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace userservice::cli
