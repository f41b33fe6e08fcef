// PageTokenCodec: page cursors as opaque, URL-safe, authenticated text (AIP-158).
//
//   std::string token = codec.Seal(cursor, "ListUsers", filter.text(), order_by.text());
//   absl::StatusOr<PageCursor> cursor =
//       codec.Open(token, "page_token", "ListUsers", filter.text(), order_by.text());
//
// A token is bound to the method, filter and order that it was made for: with any other, or with a
// changed byte, Open fails. The key is the database's own, so tokens outlive the process and are
// worth nothing to another service. Authentication: HMAC-SHA-256, truncated to 128 bits.
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "async/mutex.h"

struct evp_mac_ctx_st;  // OpenSSL's EVP_MAC_CTX

namespace userservice::store {

// A place in an order, by the values of OrderBy::keys(): the next page begins after it. It is where
// the page before stopped looking, which need not be a user of the list. monostate is "no value".
struct PageCursor {
  using Value = std::variant<std::monostate, int64_t, std::string>;
  PageCursor() = default;
  explicit PageCursor(std::vector<Value> key_values) : keys(std::move(key_values)) {}
  bool operator==(const PageCursor&) const = default;
  std::vector<Value> keys;
};

class PageTokenCodec {
 public:
  explicit PageTokenCodec(const std::string& key);  // 32 random bytes

  std::string Seal(const PageCursor& cursor, std::string_view method, std::string_view filter,
                   std::string_view order_by) const;
  // `field` names the request's field in the error, PAGE_TOKEN_INVALID.
  absl::StatusOr<PageCursor> Open(std::string_view token, std::string_view field,
                                  std::string_view method, std::string_view filter,
                                  std::string_view order_by) const;

  // A keyed hash of `data`, 16 bytes: the fingerprint of a write's payload. It tells nothing about
  // the payload to who has not the key.
  std::string Fingerprint(std::string_view data) const;

 private:
  struct FreeMac {
    void operator()(evp_mac_ctx_st* context) const;
  };
  using MacContext = std::unique_ptr<evp_mac_ctx_st, FreeMac>;

  std::string Mac(std::string_view data) const;
  static std::string MacOf(evp_mac_ctx_st* context, std::string_view data);

  mutable Mutex mutex_;
  // One for all: to make another, or a copy, costs as much as a MAC.
  MacContext keyed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace userservice::store
