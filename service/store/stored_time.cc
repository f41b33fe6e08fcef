#include "service/store/stored_time.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "service/errors/text.h"

namespace userservice::store {
namespace {

using errors::AbslView;

constexpr size_t kSecondsBytes = 19;  // of "YYYY-MM-DD HH:MM:SS"
constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";

// 'd' in `shape` stands for a digit, ' ' for a space or 'T', anything else for itself.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == 'd'   ? absl::ascii_isdigit(static_cast<unsigned char>(text[i]))
                      : shape[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                        : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

int Digits(std::string_view text, size_t first, size_t count) {
  int value = 0;
  for (const char digit : text.substr(first, count)) value = value * 10 + (digit - '0');
  return value;
}

void SetDigits(std::string& text, size_t first, size_t count, int64_t value) {
  for (size_t i = first + count; i-- > first; value /= 10)
    text[i] = static_cast<char>('0' + value % 10);
}

// What the zone adds to UTC, or nothing if it is no zone.
std::optional<absl::Duration> ZoneOffset(std::string_view zone) {
  if (zone.empty() || zone == "Z") return absl::ZeroDuration();
  if (!HasShape(zone.substr(1), "dd:dd") || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const int hours = Digits(zone, 1, 2);
  const int minutes = Digits(zone, 4, 2);
  if (hours > 14 || minutes > 59) return std::nullopt;  // SQLite's own limits
  const absl::Duration offset = absl::Hours(hours) + absl::Minutes(minutes);
  return zone[0] == '-' ? -offset : offset;
}

// The fraction of a second at the head of `text`, taken off it: one or more digits after a point,
// or nothing.
std::optional<absl::Duration> TakeFraction(std::string_view& text) {
  if (text.empty() || text[0] != '.') return absl::ZeroDuration();
  size_t end = 1;
  int64_t micros = 0;
  int64_t unit = 100'000;
  for (; end < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[end]));
       ++end, unit /= 10) {
    micros += unit * (text[end] - '0');
  }
  if (end == 1) return std::nullopt;
  text.remove_prefix(end);
  return absl::Microseconds(micros);
}

bool IsInYears1To9999(absl::Time time) {
  static const absl::Time begin = absl::FromCivil(absl::CivilSecond(1, 1, 1), absl::UTCTimeZone());
  static const absl::Time end =
      absl::FromCivil(absl::CivilSecond(10000, 1, 1), absl::UTCTimeZone());
  return time >= begin && time < end;
}

}  // namespace

// Each user that is written has one: absl::FormatTime takes six times as long.
std::string FormatStoredTime(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  const int64_t micros = absl::ToUnixMicros(time) - seconds * 1'000'000;
  const absl::CivilSecond civil = absl::CivilSecond() + seconds;
  std::string text = "0000-00-00 00:00:00.000000";
  SetDigits(text, 0, 4, civil.year());
  SetDigits(text, 5, 2, civil.month());
  SetDigits(text, 8, 2, civil.day());
  SetDigits(text, 11, 2, civil.hour());
  SetDigits(text, 14, 2, civil.minute());
  SetDigits(text, 17, 2, civil.second());
  SetDigits(text, 20, 6, micros);
  return text;
}

std::optional<absl::Time> ParseStoredTime(std::string_view text) {
  const std::string_view seconds = text.substr(0, kSecondsBytes);
  if (!HasShape(seconds, kShape)) return std::nullopt;
  const int year = Digits(seconds, 0, 4);
  const int month = Digits(seconds, 5, 2);
  const int day = Digits(seconds, 8, 2);
  const int hour = Digits(seconds, 11, 2);
  const int minute = Digits(seconds, 14, 2);
  const int second = Digits(seconds, 17, 2);
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  const bool exists = civil.month() == month && civil.day() == day && civil.hour() == hour &&
                      civil.minute() == minute && civil.second() == second;
  if (!exists) return std::nullopt;
  std::string_view rest = text.substr(kSecondsBytes);
  const std::optional<absl::Duration> fraction = TakeFraction(rest);
  const std::optional<absl::Duration> offset = ZoneOffset(rest);
  if (!fraction.has_value() || !offset.has_value()) return std::nullopt;
  const absl::Time time = absl::FromCivil(civil, absl::UTCTimeZone()) + *fraction - *offset;
  if (!IsInYears1To9999(time)) return std::nullopt;
  return time;
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
