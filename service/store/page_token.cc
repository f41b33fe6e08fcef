#include "service/store/page_token.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "service/errors/errors.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;

// A token is, in web-safe base64 without padding: a byte for the format, the keys, and the MAC of
// all that and of what the token is bound to. Numbers are big-endian.
constexpr char kFormat = 1;
constexpr size_t kMacBytes = 16;
// A key is a row's text, of whatever length another program wrote it; a request is 4 MiB at most.
constexpr size_t kTokenBytesMax = size_t{4} << 20;
constexpr char kNull = 0;
constexpr char kInteger = 1;
constexpr char kText = 2;

// What a MAC is for goes into it, so that one can never stand for the other.
constexpr std::string_view kTokenPurpose = "users.v1 page token";
constexpr std::string_view kFingerprintPurpose = "users.v1 fingerprint";

void AppendNumber(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFFU);
}

// Length first, so that parts cannot flow into each other.
void AppendText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size());
  out += text;
}

std::optional<uint64_t> TakeNumber(std::string_view& in) {
  if (in.size() < sizeof(uint64_t)) return std::nullopt;
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(uint64_t); ++i)
    number = number << 8U | static_cast<unsigned char>(in[i]);
  in.remove_prefix(sizeof(uint64_t));
  return number;
}

std::optional<PageCursor::Value> TakeValue(std::string_view& in) {
  const char type = in.front();
  in.remove_prefix(1);
  if (type == kNull) return PageCursor::Value();
  const std::optional<uint64_t> number = TakeNumber(in);
  if (!number.has_value()) return std::nullopt;
  if (type == kInteger) return PageCursor::Value(static_cast<int64_t>(*number));
  if (type != kText || *number > in.size()) return std::nullopt;
  PageCursor::Value text(std::string(in.substr(0, *number)));
  in.remove_prefix(*number);
  return text;
}

std::string Encode(const PageCursor& cursor) {
  std::string out(1, kFormat);
  for (const PageCursor::Value& value : cursor.keys) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      out += kInteger;
      AppendNumber(out, static_cast<uint64_t>(*integer));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      out += kText;
      AppendText(out, *text);
    } else {
      out += kNull;
    }
  }
  return out;
}

std::optional<PageCursor> Decode(std::string_view in) {
  if (in.empty() || in.front() != kFormat) return std::nullopt;
  in.remove_prefix(1);
  PageCursor cursor;
  while (!in.empty()) {
    std::optional<PageCursor::Value> value = TakeValue(in);
    if (!value.has_value()) return std::nullopt;
    cursor.keys.push_back(*std::move(value));
  }
  return cursor;
}

const unsigned char* BytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What is longer does not keep others from the one context. A token is shorter.
constexpr size_t kSharedBytesMax = 4096;

// What OpenSSL lacks when it fails here.
void Require(bool done) {
  if (!done) throw std::bad_alloc();
}

std::string BoundTo(std::string_view payload, std::string_view method, std::string_view filter,
                    std::string_view order_by) {
  std::string data;
  for (const std::string_view part : {kTokenPurpose, method, filter, order_by, payload})
    AppendText(data, part);
  return data;
}

}  // namespace

void PageTokenCodec::FreeMac::operator()(evp_mac_ctx_st* context) const {
  EVP_MAC_CTX_free(context);
}

PageTokenCodec::PageTokenCodec(const std::string& key) {
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  keyed_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);  // the context keeps it
  std::string digest = OSSL_DIGEST_NAME_SHA2_256;
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  Require(keyed_ != nullptr &&
          EVP_MAC_init(keyed_.get(), BytesOf(key), key.size(), parameters.data()) == 1);
}

std::string PageTokenCodec::Mac(std::string_view data) const {
  MacContext own;  // nobody waits for what takes long
  {
    const MutexLock lock(&mutex_);
    if (data.size() <= kSharedBytesMax) return MacOf(keyed_.get(), data);
    own.reset(EVP_MAC_CTX_dup(keyed_.get()));
  }
  Require(own != nullptr);
  return MacOf(own.get(), data);
}

std::string PageTokenCodec::MacOf(evp_mac_ctx_st* context, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  size_t bytes = 0;
  Require(EVP_MAC_init(context, /*key=*/nullptr, 0, nullptr) == 1 &&  // with the same key, anew
          EVP_MAC_update(context, BytesOf(data), data.size()) == 1 &&
          EVP_MAC_final(context, mac.data(), &bytes, mac.size()) == 1 && bytes >= kMacBytes);
  return {reinterpret_cast<const char*>(mac.data()), kMacBytes};
}

std::string PageTokenCodec::Seal(const PageCursor& cursor, std::string_view method,
                                 std::string_view filter, std::string_view order_by) const {
  const std::string payload = Encode(cursor);
  return absl::WebSafeBase64Escape(payload + Mac(BoundTo(payload, method, filter, order_by)));
}

absl::StatusOr<PageCursor> PageTokenCodec::Open(std::string_view token, std::string_view field,
                                                std::string_view method, std::string_view filter,
                                                std::string_view order_by) const {
  std::string sealed;
  // Base64 has several spellings of the same bytes (spaces, padding, spare bits): only the one that
  // Seal writes counts.
  const bool decoded = token.size() <= kTokenBytesMax &&
                       absl::WebSafeBase64Unescape(AbslView(token), &sealed) &&
                       sealed.size() > kMacBytes && absl::WebSafeBase64Escape(sealed) == token;
  if (!decoded) return errors::PageTokenInvalid(field);
  const std::string_view payload = std::string_view(sealed).substr(0, sealed.size() - kMacBytes);
  const std::string mac = Mac(BoundTo(payload, method, filter, order_by));
  if (CRYPTO_memcmp(mac.data(), sealed.data() + payload.size(), kMacBytes) != 0)
    return errors::PageTokenInvalid(field);
  std::optional<PageCursor> cursor = Decode(payload);
  if (!cursor.has_value()) return errors::PageTokenInvalid(field);
  return *std::move(cursor);
}

std::string PageTokenCodec::Fingerprint(std::string_view data) const {
  std::string input;
  AppendText(input, kFingerprintPurpose);
  input += data;
  return Mac(input);
}

}  // namespace userservice::store
