// The text of the small files from which an interrupted import or export goes on: a title, then a
// line for each value, `key value`. Values may hold any bytes; they are escaped as in C.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace userservice::cli {

class StateText {
 public:
  explicit StateText(std::string title) : title_(std::move(title)) {}
  // FAILED_PRECONDITION if it has another title, or a line without a key.
  static absl::StatusOr<StateText> Parse(const std::string& title, const std::string& text);

  void Add(const std::string& key, const std::string& value) { values_.emplace_back(key, value); }
  void Add(const std::string& key, int64_t value) { Add(key, std::to_string(value)); }
  std::string ToText() const;

  // FAILED_PRECONDITION if it is missing, or no number.
  absl::StatusOr<std::string> Get(const std::string& key) const;
  absl::StatusOr<int64_t> GetNumber(const std::string& key) const;
  // All values of that key, in order.
  std::vector<std::string> GetAll(const std::string& key) const;

 private:
  std::string title_;
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace userservice::cli
