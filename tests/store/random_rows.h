// Random rows for property tests: few values each, so that they collide, with all that older
// programs may have written.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/store/users_table.h"

namespace userservice::store {

class RandomRows {
 public:
  explicit RandomRows(unsigned seed) : random_(seed) {}

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool OneIn(size_t n) { return Below(n) == 0; }
  template <class T>
  const T& OneOf(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

  // Characters that mean something to SQL, GLOB, LIKE or filters, and some that take two to four
  // bytes.
  std::string Name() {
    static const std::vector<std::string> pieces = {"a",
                                                    "a",
                                                    "A",
                                                    "b",
                                                    "an",
                                                    "N",
                                                    "%",
                                                    "_",
                                                    "*",
                                                    "?",
                                                    "[",
                                                    "]",
                                                    "^",
                                                    "\\",
                                                    "'",
                                                    "\"",
                                                    "-",
                                                    " ",
                                                    "\xC3\x84",
                                                    "\xE2\x82\xAC",
                                                    "\xF0\x9F\x98\x80"};
    std::string name;
    for (size_t n = Below(6); n > 0; --n) name += OneOf(pieces);
    return name;
  }

  absl::Time Instant() {
    static const std::vector<int> micros = {0, 0, 1, 499'999, 500'000, 999'999};
    return absl::FromUnixSeconds(1'714'564'798 + static_cast<int64_t>(Below(4))) +
           absl::Microseconds(OneOf(micros));
  }

  TimeValue StoredTime() {
    TimeValue value;
    if (OneIn(6)) return value;
    if (OneIn(12)) {
      value.text = "no time";
      return value;
    }
    value.time = Instant();
    const std::string separator = OneIn(3) ? "T" : " ";
    const std::string zone = OneIn(4) ? "+00:00" : "";
    // %E*S writes no fraction where there is none, and only the digits that it takes.
    const std::string seconds = OneIn(2) ? "%E*S" : "%E6S";
    value.text = absl::FormatTime("%E4Y-%m-%d" + separator + "%H:%M:" + seconds + zone, *value.time,
                                  absl::UTCTimeZone());
    return value;
  }

  // User numbers 1 to n, e-mails that are distinct without regard to case.
  std::vector<Row> Rows(size_t n) {
    std::vector<Row> rows;
    for (size_t i = 1; i <= n; ++i) {
      Row row;
      row.user_id = static_cast<int64_t>(i);
      row.name = Name();
      row.email = OneOf<std::string>({"Ann", "ann", "B_b", "c%C", "Z"}) + std::to_string(i) +
                  "@Example.com";
      if (!OneIn(4)) row.age = static_cast<int64_t>(20 + Below(5));
      row.created = StoredTime();
      row.updated = StoredTime();
      rows.push_back(row);
    }
    return rows;
  }

 private:
  std::mt19937 random_;
};

inline std::string AsciiLower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace userservice::store
