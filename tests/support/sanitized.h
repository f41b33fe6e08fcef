// Scaled: how much of a test to run. Under a sanitizer everything is several times slower, and a
// race or a leak shows in far fewer calls than a rare crash.
#pragma once

namespace userservice {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

template <class T>
constexpr T Scaled(T full, T sanitized) {
  return kSanitized ? sanitized : full;
}

}  // namespace userservice
