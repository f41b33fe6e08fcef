// Text from outside, made fit for messages; and views between the standard library's and abseil's,
// which are two types where abseil was built for C++14.
// Threads: free functions without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace userservice::errors {

inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

// The length in bytes of the UTF-8 sequence (RFC 3629) that `text` begins with; 0 if it begins with
// none, or is empty.
size_t CodePointBytes(std::string_view text);

// At most `bytes_max` bytes of `text`, cut between code points, then "..." if something was cut
// off; '?' stands for control characters and for each byte that is not UTF-8.
std::string Excerpt(std::string_view text, size_t bytes_max = 100);
// The limit for a single word of a text that could not be read.
inline constexpr size_t kWordBytesMax = 40;

}  // namespace userservice::errors
