#include "service/store/stored_time.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "tests/store/users_table.h"

namespace userservice::store {
namespace {

absl::Time Utc(int year, int month, int day, int hour, int minute, int second) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second),
                         absl::UTCTimeZone());
}

std::optional<std::string> ReadInSql(UsersTable& table, const std::string& text) {
  return table.Query("SELECT " + StoredTimeSql("t") + " FROM (SELECT ? AS t)", {SqlValue(text)})
      .at(0)
      .at(0);
}

std::optional<std::string> ReadHere(const std::string& text) {
  const std::optional<absl::Time> time = ParseStoredTime(text);
  if (!time.has_value()) return std::nullopt;
  return FormatStoredTime(*time);
}

TEST(StoredTime, IsWrittenInUtcWithMicroseconds) {
  EXPECT_EQ(FormatStoredTime(Utc(2024, 5, 1, 12, 30, 0)), "2024-05-01 12:30:00.000000");
  EXPECT_EQ(FormatStoredTime(Utc(1, 1, 1, 0, 0, 0) + absl::Nanoseconds(1999)),
            "0001-01-01 00:00:00.000001");
  EXPECT_EQ(FormatStoredTime(Utc(1969, 12, 31, 23, 59, 59) + absl::Microseconds(1)),
            "1969-12-31 23:59:59.000001");
}

TEST(StoredTime, ReadsWhatOtherProgramsWrote) {
  const absl::Time noon = Utc(2024, 5, 1, 12, 0, 0);
  EXPECT_EQ(ParseStoredTime("2024-05-01 12:00:00"), noon);
  EXPECT_EQ(ParseStoredTime("2024-05-01T12:00:00"), noon);
  EXPECT_EQ(ParseStoredTime("2024-05-01T12:00:00Z"), noon);
  EXPECT_EQ(ParseStoredTime("2024-05-01 12:00:00+00:00"), noon);
  EXPECT_EQ(ParseStoredTime("2024-05-01 14:30:00+02:30"), noon);
  EXPECT_EQ(ParseStoredTime("2024-05-01 12:00:00.5"), noon + absl::Milliseconds(500));
  EXPECT_EQ(ParseStoredTime("2024-05-01 12:00:00.000001"), noon + absl::Microseconds(1));
  EXPECT_EQ(ParseStoredTime("2024-05-01 12:00:00.0000019-00:00"), noon + absl::Microseconds(1));
}

TEST(StoredTime, IsAbsentWhereTheTextIsNoTime) {
  for (const char* text : {"",
                           "now",
                           "yesterday",
                           "2024-05-01",
                           "2024-05-01 12:00",
                           "2024-02-30 00:00:00",
                           "2451545.5",
                           "2024-13-01 00:00:00",
                           "2024-05-01 25:00:00",
                           "2024-05-01 24:00:00",
                           "2024-05-01 12:00:60",
                           "2024-05-01 12:00:00.",
                           "2024-05-01 12:00:00..5",
                           "2024-05-01 12:00:005",
                           "2024-05-01 12:00:00 ",
                           "2024-05-01 12:00:00z",
                           "2024-05-01 12:00:00+2:00",
                           "2024-05-01 12:00:00+15:00",
                           "2024-05-01 12:00:00+02:60",
                           "0000-05-01 12:00:00",
                           "0001-01-01 00:00:00+01:00",
                           "9999-12-31 23:59:59-00:01",
                           "2024-05-01t12:00:00"}) {
    EXPECT_EQ(ParseStoredTime(text), std::nullopt) << text;
    UsersTable table;
    EXPECT_EQ(ReadInSql(table, text), std::nullopt) << text;
  }
}

// What this service writes is read eight characters at a time.
TEST(StoredTime, DependsOnEachCharacterOfAnOwnTime) {
  UsersTable table;
  for (const std::string time : {"2024-02-29 23:59:59.987654", "0001-10-10 00:00:00.000000"}) {
    for (size_t i = 0; i < time.size(); ++i) {
      for (int other = 0; other < 256; ++other) {
        std::string text = time;
        text[i] = static_cast<char>(other);
        EXPECT_EQ(ReadHere(text), ReadInSql(table, text)) << i << ' ' << other;
      }
    }
  }
}

// SQLite's functions read text up to a NUL.
TEST(StoredTime, IsAbsentWhereTheTextGoesOnBehindANul) {
  UsersTable table;
  for (const std::string time :
       {"2024-05-01 12:00:00", "2024-05-01 12:00:00.123456", "2024-05-01T12:00:00.5+02:00"}) {
    EXPECT_NE(ReadInSql(table, time), std::nullopt);
    for (const std::string& text : {time + '\0', time + '\0' + "Z", '\0' + time}) {
      EXPECT_EQ(ParseStoredTime(text), std::nullopt);
      EXPECT_EQ(ReadInSql(table, text), std::nullopt);
    }
  }
}

TEST(StoredTime, IsReadAlikeHereAndInSql) {
  UsersTable table;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto below = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  const std::vector<std::string> starts = {"2024-05-01 12:00:00", "2024-02-29T23:59:59",
                                           "2023-02-29 00:00:00", "1969-12-31 23:59:59",
                                           "0001-01-01 00:00:00", "9999-12-31 23:59:59"};
  const std::vector<std::string> fractions = {"",         "",           ".0", ".5", ".999999",
                                              ".9999999", ".123456789", ".",  "5"};
  const std::vector<std::string> zones = {"",       "",       "Z",      "+00:00", "-00:00",
                                          "+02:00", "-14:00", "+14:59", "+15:00", "UTC"};
  const std::string bytes = "0123456789-:. TZ+";
  int times = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text = starts[below(starts.size())] + fractions[below(fractions.size())] +
                       zones[below(zones.size())];
    for (size_t changes = below(3); changes > 0; --changes)
      text[below(text.size())] = bytes[below(bytes.size())];
    const std::optional<std::string> here = ReadHere(text);
    EXPECT_EQ(here, ReadInSql(table, text)) << text;
    times += here.has_value() ? 1 : 0;
    if (here.has_value()) {
      EXPECT_EQ(ReadHere(*here), here);
    }
  }
  EXPECT_GT(times, 500);
}

TEST(StoredTime, ReadsEveryDateThatThereIsAndNoOther) {
  const absl::CivilDay end(10000, 1, 1);
  int64_t days = absl::CivilDay(1, 1, 1) - absl::CivilDay(1970, 1, 1);
  for (absl::CivilDay day(1, 1, 1); day < end; ++day, ++days) {
    const std::string text =
        absl::StrFormat("%04d-%02d-%02d 00:00:00", day.year(), day.month(), day.day());
    ASSERT_EQ(ParseStoredMicros(text), days * 86'400'000'000) << text;
    if ((day + 1).day() != 1) continue;
    const std::string none =
        absl::StrFormat("%04d-%02d-%02d 00:00:00", day.year(), day.month(), day.day() + 1);
    ASSERT_EQ(ParseStoredMicros(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace userservice::store
