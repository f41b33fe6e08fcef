// The users that CSV and JSON lines say.
#include "client/cli/import/records.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "client/cli/import/csv_records.h"
#include "client/cli/output.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/import/input.h"

namespace userservice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "line: name|email|age", or "line: ! why not".
std::vector<std::string> Described(InputFormat format, std::string_view text) {
  std::vector<std::string> described;
  for (const Record& record : RecordsOf(format, text)) {
    described.push_back(
        record.error.empty()
            ? absl::StrCat(record.line, ": ", record.user.name(), "|", record.user.email(), "|",
                           record.user.has_age() ? absl::StrCat(record.user.age()) : "")
            : absl::StrCat(record.line, ": ! ", record.error));
  }
  return described;
}

std::vector<std::string> Csv(std::string_view text) { return Described(InputFormat::kCsv, text); }
std::vector<std::string> Json(std::string_view text) {
  return Described(InputFormat::kJsonLines, text);
}

std::string TitleError(std::string_view text) {
  const Input input(text);
  const auto lines = input.Lines();
  const auto parser = MakeRecordParser(InputFormat::kCsv, *lines);
  return parser.ok() ? "" : std::string(parser.status().message());
}

std::string NoticeOf(InputFormat format, std::string_view text) {
  const Input input(text);
  const auto lines = input.Lines();
  const auto parser = MakeRecordParser(format, *lines);
  std::string notices;
  for (auto line = lines->Next(); line->has_value(); line = lines->Next()) {
    (*parser)->Add(**line);
    notices += (*parser)->TakeNotice();
  }
  return notices;
}

TEST(CsvRecords, AreFoundByTheTitleInAnyOrderAndCase) {
  EXPECT_THAT(Csv("Age,EMAIL,extra,name\n36,ada@example.com,x,Ada\n"),
              ElementsAre("2: Ada|ada@example.com|36"));
}

TEST(CsvRecords, NeedNoAge) {
  EXPECT_THAT(Csv("name,email\nAda,ada@example.com\n"), ElementsAre("2: Ada|ada@example.com|"));
  EXPECT_THAT(Csv("name,email,age\nAda,ada@example.com,\nBob,b@example.com,0"),
              ElementsAre("2: Ada|ada@example.com|", "3: Bob|b@example.com|0"));
}

TEST(CsvRecords, HaveTheLineOnWhichTheyBegin) {
  EXPECT_THAT(Csv("\r\nname,email\r\n\r\nA,a@b.c\r\n\n\"B\nB\",b@b.c\r\n   \r\nC,c@b.c"),
              ElementsAre("4: A|a@b.c|", "6: B\nB|b@b.c|", "9: C|c@b.c|"));
}

TEST(CsvRecords, KeepQuotesCommasLineEndsAndUtf8) {
  EXPECT_THAT(
      Csv("name,email\n\"Ada, \"\"the\r\nfirst\"\"\",ada@example.com\nJosé 😀,j@example.com\n"),
      ElementsAre("2: Ada, \"the\r\nfirst\"|ada@example.com|", "4: José 😀|j@example.com|"));
}

TEST(CsvRecords, AreReadWithOldLineEnds) {
  EXPECT_THAT(Csv("name,email\rA,a@b.c\rB,b@b.c\r"), ElementsAre("2: A|a@b.c|", "3: B|b@b.c|"));
}

TEST(CsvRecords, ThatAreWrongAreNamedAndTheNextIsRight) {
  EXPECT_THAT(Csv("name,email,age\n"
                  "A,a@b.c\n"
                  "A,a@b.c,1,2\n"
                  "A,a@b.c,old\n"
                  "A,a@b.c,99999999999\n"
                  "The \"Rock\",a@b.c,1\n"
                  "\"A\" x,a@b.c,1\n"
                  "A\xff,a@b.c,1\n"
                  "A,a@b.c,1\n"),
              ElementsAre("2: ! it has 2 of the 3 fields that the title names",
                          "3: ! it has 4 of the 3 fields that the title names",
                          "4: ! age: not a whole number: 'old'",
                          "5: ! age: not a whole number: '99999999999'",
                          "6: ! a quote inside a field, or text after one that is closed",
                          "7: ! a quote inside a field, or text after one that is closed",
                          "8: ! name: not UTF-8", "9: A|a@b.c|1"));
}

TEST(CsvRecords, AQuoteThatIsNotClosedTakesABoundedPartOfTheFile) {
  std::string text = "name,email\n\"A,a@b.c\n";
  const int rows = 3 * static_cast<int>(kRecordBytesMax) / 10;
  for (int i = 0; i < rows; ++i) absl::StrAppend(&text, "Bob,b@b.c\n");
  const std::vector<Record> records = RecordsOf(InputFormat::kCsv, text);
  EXPECT_THAT(records[0].error, HasSubstr("is a quote not closed?"));
  EXPECT_EQ(records[0].line, 2);
  EXPECT_EQ(records[1].user.name(), "Bob");
  EXPECT_EQ(records.back().line, rows + 2);
  EXPECT_GT(records.size(), rows - kRecordBytesMax / 10 - 3);
  EXPECT_THAT(Csv("name,email\nA,a@b.c\n\"B,b@b.c\n"),
              ElementsAre("2: A|a@b.c|", "3: ! the file ends inside a quoted field"));
}

TEST(CsvRecords, ALineThatIsTooLongIsOneRecordThatIsWrong) {
  EXPECT_THAT(Csv(absl::StrCat("name,email\n", std::string(size_t{10} << 20, 'x'), "\nA,a@b.c\n")),
              ElementsAre("2: ! more than 65,536 bytes", "3: A|a@b.c|"));
}

TEST(CsvTitle, ThatDoesNotNameTheColumnsIsAnError) {
  EXPECT_THAT(TitleError(""), HasSubstr("it is empty"));
  EXPECT_THAT(TitleError("\n\r\n"), HasSubstr("it is empty"));
  EXPECT_THAT(TitleError("name,age\n"), HasSubstr("must name the columns name and email"));
  EXPECT_THAT(TitleError("Ada,ada@example.com\n"), HasSubstr("it is 'Ada,ada@example.com'"));
  EXPECT_THAT(TitleError("name,email,Name\n"), HasSubstr("the column name twice"));
  EXPECT_THAT(TitleError("a\"b,name,email\n"), HasSubstr("its title can not be read"));
  EXPECT_EQ(TitleError("\"name\",\"email\""), "");
}

TEST(CsvTitle, OfABinaryFileIsShownWithoutItsControlCharacters) {
  const std::string binary(
      "\x7f"
      "ELF\x02\x01\x01\0\0\0\x1b[2J\xff",
      15);
  const std::string error = TitleError(binary);
  EXPECT_THAT(error, HasSubstr("must name the columns"));
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_EQ(error.find('\0'), std::string::npos);
}

TEST(CsvTitle, NamesTheColumnsThatAreIgnoredOnce) {
  EXPECT_EQ(NoticeOf(InputFormat::kCsv, "user_id,name,email,note\n1,A,a@b.c,x\n2,B,b@b.c,x\n"),
            "ignored columns: user_id, note");
  EXPECT_EQ(NoticeOf(InputFormat::kCsv, "name,email,age\nA,a@b.c,1\n"), "");
}

TEST(JsonRecords, AreAUserALine) {
  EXPECT_THAT(Json("{\"name\": \"Ada\", \"email\": \"ada@example.com\", \"age\": 36}\n\n"
                   "{\"name\":\"B\\u00e9\",\"email\":\"b@b.c\",\"age\":0}\r\n"
                   "{\"name\":\"C\",\"email\":\"c@b.c\",\"age\":null}"),
              ElementsAre("1: Ada|ada@example.com|36", "3: Bé|b@b.c|0", "4: C|c@b.c|"));
  EXPECT_THAT(Json(""), IsEmpty());
}

TEST(JsonRecords, LeaveOutWhatTheServerGives) {
  const std::string text =
      "{\"user_id\":\"7\",\"name\":\"A\",\"email\":\"a@b.c\",\"create_time\":"
      "\"2023-11-14T22:13:20Z\",\"etag\":\"\\\"9\\\"\"}\n";
  const std::vector<Record> records = RecordsOf(InputFormat::kJsonLines, text);
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].user.user_id(), 0);
  EXPECT_FALSE(records[0].user.has_create_time());
  EXPECT_EQ(records[0].user.etag(), "");
  EXPECT_EQ(NoticeOf(InputFormat::kJsonLines, text), "") << "an export's fields are known";
}

TEST(JsonRecords, SayOnceThatTheyIgnoreFields) {
  const std::string text =
      "{\"name\":\"A\",\"email\":\"a@b.c\"}\n{\"name\":\"B\",\"email\":\"b@b.c\",\"phone\":1}\n"
      "{\"name\":\"C\",\"email\":\"c@b.c\",\"phone\":1}\n";
  EXPECT_EQ(NoticeOf(InputFormat::kJsonLines, text),
            "ignored fields that a user does not have, the first in line 2");
  EXPECT_THAT(Json(text), ElementsAre("1: A|a@b.c|", "2: B|b@b.c|", "3: C|c@b.c|"));
}

TEST(JsonRecords, ThatAreWrongAreNamedAndTheNextIsRight) {
  const std::vector<std::string> described = Json(
      "nonsense\n[]\n{\"name\":1.5e}\n{\"name\":\"A\xff\"}\n{\"age\":\"old\"}\n"
      "{\"name\":\"A\",\"email\":\"a@b.c\"}\n");
  ASSERT_EQ(described.size(), 6);
  for (size_t i = 0; i < 5; ++i) EXPECT_THAT(described[i], HasSubstr(": ! ")) << described[i];
  EXPECT_EQ(described[3], "4: ! not UTF-8");
  EXPECT_EQ(described[5], "6: A|a@b.c|");
  EXPECT_THAT(Json(std::string(size_t{10} << 20, 'x')), ElementsAre("1: ! more than 65,536 bytes"));
}

// What userctl export writes.
TEST(Records, TakeBackWhatAnExportWrites) {
  users::v1::User user;
  user.set_user_id(7);
  user.set_name("Ada, \"Countess\" 😀");
  user.set_email("ada@example.com");
  user.mutable_create_time()->set_seconds(1'700'000'000);
  user.set_etag("\"9\"");
  for (const auto& [output, input] : {std::pair(OutputFormat::kCsv, InputFormat::kCsv),
                                      std::pair(OutputFormat::kJson, InputFormat::kJsonLines)}) {
    std::ostringstream text;
    UserRows rows(text, output);
    rows.Add(user);
    const std::vector<Record> records = RecordsOf(input, text.str());
    ASSERT_EQ(records.size(), 1);
    EXPECT_EQ(records[0].error, "");
    EXPECT_EQ(records[0].user.name(), user.name());
    EXPECT_EQ(records[0].user.email(), user.email());
    EXPECT_FALSE(records[0].user.has_age());
  }
}

}  // namespace
}  // namespace userservice::cli
