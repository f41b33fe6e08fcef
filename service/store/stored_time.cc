#include "service/store/stored_time.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;

constexpr size_t kSecondsBytes = 19;  // of "YYYY-MM-DD HH:MM:SS"
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerMinute = 60;
constexpr absl::CivilSecond kEpoch(1970, 1, 1);
constexpr int64_t kSecondsMin = absl::CivilSecond(1, 1, 1) - kEpoch;
constexpr int64_t kSecondsEnd = absl::CivilSecond(10000, 1, 1) - kEpoch;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Numbers at fixed places of a text.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}

  int At(size_t first, size_t count) {
    int value = 0;
    for (size_t i = first; i < first + count; ++i) {
      are_digits_ = are_digits_ && IsDigit(text_[i]);
      value = value * 10 + (text_[i] - '0');
    }
    return value;
  }
  // Whether all that was asked for was digits.
  bool are_digits() const { return are_digits_; }

 private:
  const std::string_view text_;
  bool are_digits_ = true;
};

// The seconds since 1970 of "YYYY-MM-DD HH:MM:SS" at the head of `text`.
std::optional<int64_t> Seconds(std::string_view text) {
  if (text.size() < kSecondsBytes) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  Digits digits(text);
  const int year = digits.At(0, 4);
  const int month = digits.At(5, 2);
  const int day = digits.At(8, 2);
  const int hour = digits.At(11, 2);
  const int minute = digits.At(14, 2);
  const int second = digits.At(17, 2);
  if (!digits.are_digits()) return std::nullopt;
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  const bool exists = civil.month() == month && civil.day() == day && civil.hour() == hour &&
                      civil.minute() == minute && civil.second() == second;
  if (!exists) return std::nullopt;
  return civil - kEpoch;
}

// The seconds that the zone adds to UTC, or nothing if it is no zone.
std::optional<int64_t> ZoneOffset(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  Digits digits(zone);
  const int hours = digits.At(1, 2);
  const int minutes = digits.At(4, 2);
  // SQLite's own limits.
  if (!digits.are_digits() || hours > 14 || minutes > 59) return std::nullopt;
  const int64_t offset = (int64_t{hours} * 60 + minutes) * kSecondsPerMinute;
  return zone[0] == '-' ? -offset : offset;
}

// The microseconds of the fraction at the head of `text`, which is taken off it: one or more digits
// after a point, or nothing.
std::optional<int64_t> TakeFraction(std::string_view& text) {
  if (text.empty() || text[0] != '.') return 0;
  size_t end = 1;
  int64_t micros = 0;
  int64_t unit = kMicrosPerSecond / 10;
  for (; end < text.size() && IsDigit(text[end]); ++end, unit /= 10)
    micros += unit * (text[end] - '0');
  if (end == 1) return std::nullopt;
  text.remove_prefix(end);
  return micros;
}

}  // namespace

std::string FormatStoredTime(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S", time, absl::UTCTimeZone());
}

std::optional<absl::Time> ParseStoredTime(std::string_view text) {
  const std::optional<int64_t> micros = ParseStoredMicros(text);
  if (!micros.has_value()) return std::nullopt;
  return absl::FromUnixMicros(*micros);
}

std::optional<int64_t> ParseStoredMicros(std::string_view text) {
  const std::optional<int64_t> civil = Seconds(text);
  if (!civil.has_value()) return std::nullopt;
  std::string_view rest = text.substr(kSecondsBytes);
  const std::optional<int64_t> fraction = TakeFraction(rest);
  const std::optional<int64_t> offset = ZoneOffset(rest);
  if (!fraction.has_value() || !offset.has_value()) return std::nullopt;
  const int64_t seconds = *civil - *offset;
  if (seconds < kSecondsMin || seconds >= kSecondsEnd) return std::nullopt;
  return seconds * kMicrosPerSecond + *fraction;
}

// Indexes are made of this: no subquery, and no date function sees a text that is not a time's, for
// 'now' would fail the INSERT of another program.
std::string StoredTimeSql(std::string_view column) {
  constexpr std::string_view kSecondsGlob =
      "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][ T][0-9][0-9]:[0-9][0-9]:[0-9][0-9]";
  constexpr std::string_view kOwnGlob =
      "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
      ".[0-9][0-9][0-9][0-9][0-9][0-9]";
  // What this service wrote comes first, and is taken as it is: a fifth of the work. GLOB and the
  // date functions read up to a NUL only: such a text is told by its length in bytes.
  // SQLite's date functions keep milliseconds only, so they shift the whole seconds by the zone,
  // and the digits of the fraction are carried over as text. '+0 days' moves days that do not exist
  // (02-30) to the next month: what comes out unchanged is a date and time of the one right shape.
  constexpr std::string_view kSql =
      "CASE WHEN length(CAST(@ AS BLOB)) <> length(CAST(@ AS TEXT)) THEN NULL"
      " WHEN {text} GLOB '{own}' AND datetime({seconds}, '+0 days') = {seconds}"
      " AND {text} >= '0001' THEN {text}"
      " WHEN {text} GLOB '{glob}*' AND datetime({seconds}, '+0 days') = replace({seconds}, 'T', ' "
      "')"
      " AND ({zone} IN ('', 'Z') OR {zone} GLOB '[+-][0-9][0-9]:[0-9][0-9]')"
      " AND {utc} >= '0001'"
      " THEN {utc} || '.' || substr(CASE WHEN {has_fraction}"
      " THEN substr({text}, 21, length({text}) - 20 - length({zone})) ELSE '' END || '000000', 1, "
      "6)"
      " END";
  constexpr std::string_view kZone =
      "CASE WHEN {has_fraction} THEN ltrim(substr({text}, 21), '0123456789')"
      " ELSE substr({text}, 20) END";
  std::string sql(kSql);
  const std::array<std::pair<std::string_view, std::string_view>, 8> parts = {{
      {"{utc}", "datetime({seconds} || {zone})"},
      {"{zone}", kZone},
      {"{has_fraction}", "substr({text}, 20) GLOB '.[0-9]*'"},
      {"{seconds}", "substr({text}, 1, 19)"},
      {"{text}", "CAST(@ AS TEXT)"},
      {"{own}", kOwnGlob},
      {"{glob}", kSecondsGlob},
      {"@", column},
  }};
  for (const auto& [name, text] : parts)
    absl::StrReplaceAll({{AbslView(name), AbslView(text)}}, &sql);
  return sql;
}

}  // namespace userservice::store
