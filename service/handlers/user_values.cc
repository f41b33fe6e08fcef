#include "service/handlers/user_values.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "service/errors/text.h"

namespace userservice::handlers {
namespace {

constexpr size_t kNameCodePointsMax = 100;
constexpr size_t kEmailBytesMax = 150;
constexpr size_t kEmailLocalBytesMax = 64;  // RFC 5321, 4.5.3.1.1
constexpr size_t kEmailLabelBytesMax = 63;  // RFC 1035, 2.3.4
constexpr int32_t kAgeMax = 150;

// The next code point of `text`, which is valid UTF-8 (protobuf refuses other strings), removed
// from its front.
char32_t TakeCodePoint(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t code_point = bytes == 1 ? first : first & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes && i < text.size(); ++i) {
    code_point = (code_point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  text.remove_prefix(std::min(bytes, text.size()));
  return code_point;
}

// Unicode's White_Space property.
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsControl(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

std::string_view WithoutSpaceAround(std::string_view text) {
  const char* begin = text.data();
  const char* end = begin;
  bool started = false;
  for (std::string_view rest = text; !rest.empty();) {
    const char* const at = rest.data();
    const bool space = IsSpace(TakeCodePoint(rest));
    if (space) continue;
    if (!started) begin = at;
    started = true;
    end = rest.data();
  }
  return started ? std::string_view(begin, static_cast<size_t>(end - begin)) : std::string_view();
}

// RFC 5322, 3.2.3.
bool IsAtext(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool IsDotAtom(std::string_view local) {
  for (const absl::string_view atom : absl::StrSplit(errors::AbslView(local), '.')) {
    if (atom.empty() || !std::all_of(atom.begin(), atom.end(), IsAtext)) return false;
  }
  return true;
}

bool IsDomain(std::string_view domain) {
  const std::vector<absl::string_view> labels = absl::StrSplit(errors::AbslView(domain), '.');
  const auto is_label_char = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  };
  for (const absl::string_view label : labels) {
    if (label.empty() || label.size() > kEmailLabelBytesMax || label.front() == '-' ||
        label.back() == '-' || !std::all_of(label.begin(), label.end(), is_label_char)) {
      return false;
    }
  }
  return labels.size() >= 2;
}

}  // namespace

void UserValues::Note(std::string_view path, std::string_view description) {
  violations_.emplace_back(std::string(path), std::string(description));
}

absl::Status UserValues::status() const {
  return violations_.empty() ? absl::OkStatus() : errors::FieldsInvalid(violations_);
}

std::string UserValues::Name(std::string_view path, std::string_view name) {
  const std::string_view trimmed = WithoutSpaceAround(name);
  size_t code_points = 0;
  bool has_control = false;
  for (std::string_view rest = trimmed; !rest.empty(); ++code_points) {
    has_control = IsControl(TakeCodePoint(rest)) || has_control;
  }
  if (code_points == 0) {
    Note(path, "must not be empty");
  } else if (code_points > kNameCodePointsMax) {
    Note(path, "must have at most 100 characters");
  } else if (has_control) {
    Note(path, "must not contain control characters");
  }
  return std::string(trimmed);
}

std::string UserValues::Email(std::string_view path, std::string_view email) {
  const size_t at = email.rfind('@');
  if (email.empty()) {
    Note(path, "must not be empty");
  } else if (email.size() > kEmailBytesMax) {
    Note(path, "must have at most 150 bytes");
  } else if (at == std::string_view::npos) {
    Note(path, "must be an e-mail address: it has no @");
  } else if (at > kEmailLocalBytesMax) {
    Note(path, "must have at most 64 bytes before the @");
  } else if (!IsDotAtom(email.substr(0, at))) {
    Note(path,
         "must have letters, digits and !#$%&'*+-/=?^_`{|}~ before the @, and dots only between "
         "them");
  } else if (!IsDomain(email.substr(at + 1))) {
    Note(path,
         "must have a domain of two or more labels (letters, digits, inner hyphens) after the @");
  }
  return absl::AsciiStrToLower(errors::AbslView(email));
}

int32_t UserValues::Age(std::string_view path, int32_t age) {
  if (age < 0 || age > kAgeMax) Note(path, "must be 0 to 150");
  return age;
}

users::v1::User NewUserOf(const users::v1::User& sent, std::string_view item, UserValues& values) {
  const auto path = [item](absl::string_view field) {
    return absl::StrCat(errors::AbslView(item), field);
  };
  users::v1::User user;
  user.set_name(values.Name(path("user.name"), sent.name()));
  user.set_email(values.Email(path("user.email"), sent.email()));
  if (sent.has_age()) user.set_age(values.Age(path("user.age"), sent.age()));
  return user;
}

}  // namespace userservice::handlers
