#include "service/store/stored_time.h"

#include <endian.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;

constexpr size_t kSecondsBytes = 19;  // of "YYYY-MM-DD HH:MM:SS"
constexpr size_t kFractionDigits = 6;
constexpr int64_t kSecondsPerMinute = 60;
constexpr int64_t kSecondsPerHour = 60 * kSecondsPerMinute;
constexpr int64_t kSecondsPerDay = 24 * kSecondsPerHour;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Numbers of two digits at fixed places of a text that is long enough.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text.data()) {}

  int TwoAt(size_t first) {
    const auto tens = static_cast<unsigned>(text_[first] - '0');
    const auto ones = static_cast<unsigned>(text_[first + 1] - '0');
    others_ |= static_cast<unsigned>(tens > 9) | static_cast<unsigned>(ones > 9);
    return static_cast<int>(tens * 10 + ones);
  }
  // Whether all that was asked for was digits.
  bool are_digits() const { return others_ == 0; }

 private:
  const char* const text_;
  unsigned others_ = 0;
};

bool IsDate(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool is_leap_day = month == 2 && day == 29;
  if (is_leap_day) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[static_cast<size_t>(month - 1)];
}

// From 1970-01-01 on, in the proleptic Gregorian calendar. Years begin in March here, so that a
// leap day is the last of its year.
constexpr int64_t DaysSince1970(int year, int month, int day) {
  constexpr int kDaysPer400Years = 146'097;
  constexpr int kDaysTo1970 = 719'468;  // from March of year 0
  const int march_year = (month > 2 ? year : year - 1) + 400;
  const int march_month = (month + 9) % 12;
  const int day_of_year = (153 * march_month + 2) / 5 + day - 1;
  const int days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400;
  return days + day_of_year - kDaysPer400Years - kDaysTo1970;
}

void SetDigits(std::string& text, size_t first, size_t count, int64_t value) {
  for (size_t i = first + count; i-- > first; value /= 10)
    text[i] = static_cast<char>('0' + value % 10);
}

constexpr int64_t kSecondsMin = DaysSince1970(1, 1, 1) * kSecondsPerDay;
constexpr int64_t kSecondsEnd = DaysSince1970(10000, 1, 1) * kSecondsPerDay;
static_assert(DaysSince1970(1970, 1, 1) == 0 && kSecondsMin == -62'135'596'800);

// Nothing where no calendar or clock shows these numbers.
std::optional<int64_t> SecondsSince1970(int year, int month, int day, int hour, int minute,
                                        int second) {
  if (!IsDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return DaysSince1970(year, month, day) * kSecondsPerDay + hour * kSecondsPerHour +
         minute * kSecondsPerMinute + second;
}

// The seconds since 1970 of "YYYY-MM-DD HH:MM:SS" at the head of `text`.
std::optional<int64_t> Seconds(std::string_view text) {
  if (text.size() < kSecondsBytes) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  Digits digits(text);
  const int year = digits.TwoAt(0) * 100 + digits.TwoAt(2);
  const int month = digits.TwoAt(5);
  const int day = digits.TwoAt(8);
  const int hour = digits.TwoAt(11);
  const int minute = digits.TwoAt(14);
  const int second = digits.TwoAt(17);
  if (!digits.are_digits()) return std::nullopt;
  return SecondsSince1970(year, month, day, hour, minute, second);
}

// The seconds that the zone adds to UTC, or nothing if it is no zone.
std::optional<int64_t> ZoneOffset(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  Digits digits(zone);
  const int hours = digits.TwoAt(1);
  const int minutes = digits.TwoAt(4);
  // SQLite's own limits.
  if (!digits.are_digits() || hours > 14 || minutes > 59) return std::nullopt;
  const int64_t offset = hours * kSecondsPerHour + minutes * kSecondsPerMinute;
  return zone[0] == '-' ? -offset : offset;
}

// The microseconds of the fraction at the head of `text`, which is taken off it: one or more digits
// after a point, or nothing.
std::optional<int64_t> TakeFraction(std::string_view& text) {
  if (text.empty() || text[0] != '.') return 0;
  text.remove_prefix(1);
  size_t digits = 0;
  int64_t micros = 0;
  for (const char c : text) {
    if (!IsDigit(c)) break;
    if (++digits <= kFractionDigits) micros = micros * 10 + (c - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  for (; digits < kFractionDigits; ++digits) micros *= 10;
  return micros;
}

// What FormatStoredTime gives.
constexpr std::string_view kOwnPattern = "0000-00-00 00:00:00.000000";

// Eight characters as a number, the first in its lowest bits.
uint64_t LoadEight(std::string_view text, size_t first) {
  uint64_t eight = 0;
  std::memcpy(&eight, text.data() + first, sizeof(eight));
  return le64toh(eight);
}

// Eight characters of a text in kOwnPattern, from First on, checked and read all at once.
template <size_t First>
class OwnEight {
 public:
  explicit OwnEight(std::string_view text)
      : values_(LoadEight(text, First) ^ LoadEight(kOwnPattern, First)) {}

  // Whether there are digits where the pattern has them, and what it has itself elsewhere.
  bool is_own() const { return ((values_ | (values_ + kToHighBit)) & kHighBits) == 0; }
  // The number of the two digits at `place` of the text, if they are.
  int TwoAt(size_t place) const {
    const uint64_t twos = values_ * 10 + (values_ >> 8);  // each digit with the one behind it
    return static_cast<int>(twos >> (8 * (place - First)) & 0xFF);
  }

 private:
  static constexpr uint64_t kHighBits = 0x8080'8080'8080'8080;
  // Brings what is greater than a digit, or than 0 elsewhere, to the high bit of its byte.
  static constexpr uint64_t kToHighBit = [] {
    uint64_t add = 0;
    for (size_t i = 0; i < 8; ++i)
      add |= (IsDigit(kOwnPattern[First + i]) ? 0x7FULL - 9 : 0x7FULL) << (8 * i);
    return add;
  }();

  const uint64_t values_;
};

// The same as ParseStoredMicros for what this service writes, and nothing for all else: a page
// reads two times a row.
std::optional<int64_t> OwnMicros(std::string_view text) {
  const OwnEight<0> date(text);
  const OwnEight<8> day(text);
  const OwnEight<16> second(text);
  const OwnEight<18> fraction(text);
  if (!date.is_own() || !day.is_own() || !second.is_own() || !fraction.is_own())
    return std::nullopt;
  const std::optional<int64_t> seconds =
      SecondsSince1970(date.TwoAt(0) * 100 + date.TwoAt(2), date.TwoAt(5), day.TwoAt(8),
                       day.TwoAt(11), day.TwoAt(14), second.TwoAt(17));
  if (!seconds.has_value() || *seconds < kSecondsMin) return std::nullopt;
  const int micros = (fraction.TwoAt(20) * 100 + fraction.TwoAt(22)) * 100 + fraction.TwoAt(24);
  return *seconds * kMicrosPerSecond + micros;
}

}  // namespace

// Each user that is written has one: absl::FormatTime takes six times as long.
std::string FormatStoredTime(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  const int64_t micros = absl::ToUnixMicros(time) - seconds * kMicrosPerSecond;
  const absl::CivilSecond civil = absl::CivilSecond() + seconds;
  std::string text(kOwnPattern);
  SetDigits(text, 0, 4, civil.year());
  SetDigits(text, 5, 2, civil.month());
  SetDigits(text, 8, 2, civil.day());
  SetDigits(text, 11, 2, civil.hour());
  SetDigits(text, 14, 2, civil.minute());
  SetDigits(text, 17, 2, civil.second());
  SetDigits(text, 20, kFractionDigits, micros);
  return text;
}

std::optional<absl::Time> ParseStoredTime(std::string_view text) {
  const std::optional<int64_t> micros = ParseStoredMicros(text);
  if (!micros.has_value()) return std::nullopt;
  return absl::FromUnixMicros(*micros);
}

std::optional<int64_t> ParseStoredMicros(std::string_view text) {
  if (text.size() == kOwnPattern.size()) {
    if (const std::optional<int64_t> micros = OwnMicros(text)) return micros;
  }
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
