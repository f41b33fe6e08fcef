// Times as the table keeps them: UTC text, 'YYYY-MM-DD HH:MM:SS.ffffff' in rows that this service
// wrote.
//
// Rows that other programs wrote may have no fraction, one of another length, 'T' between date and
// time, or a zone at the end ('Z', '+00:00'). All of them are read as the instant they name, to the
// microsecond; what is not a time of one of these shapes is absent. Filters and orders compare
// times in SQL by what StoredTimeSql makes of the column, which agrees with ParseStoredTime text by
// text (stored_time_test). Threads: free functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace userservice::store {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;

// 'YYYY-MM-DD HH:MM:SS.ffffff': of two such texts the lesser is the earlier. Rounds down to the
// microsecond. The time must lie in the years 1 to 9999.
std::string FormatStoredTime(absl::Time time);

// The instant, to the microsecond (further digits are dropped), or nothing for a text that is no
// such time.
std::optional<absl::Time> ParseStoredTime(std::string_view text);
// The same, in microseconds since 1970.
std::optional<int64_t> ParseStoredMicros(std::string_view text);

// The SQL expression that is FormatStoredTime(ParseStoredTime(column)), or NULL.
std::string StoredTimeSql(std::string_view column);

}  // namespace userservice::store
