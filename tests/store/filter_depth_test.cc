// Every filter that can be parsed can be run: SQLite's parser has a stack of its own.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/store/user_store_fixture.h"

namespace userservice::store {
namespace {

constexpr int kDepthMax = 32;
constexpr char kTime[] = "create_time > 2020-01-01T00:00:00Z";

class FilterDepthTest : public UserStoreTest {
 protected:
  void SetUp() override {
    for (int age = 1; age <= 5; ++age)
      ASSERT_TRUE(Create(MakeUser("n", absl::StrCat(age, "@x.org"), age)).ok());
    ASSERT_TRUE(Create(MakeUser("n", "none@x.org")).ok());
  }

  void ExpectRuns(const std::string& filter) {
    const int64_t count = Count(filter);
    for (const char* order : {"", "create_time desc, name", "email"})
      EXPECT_EQ(ListIds(Query(filter, order, 1)).size(), static_cast<size_t>(count))
          << order << ": " << filter;
  }
};

// `levels` are used in turn; "@" stands for the level below.
std::string Nest(const std::vector<std::string>& levels, int depth, std::string inner = kTime) {
  for (int i = 0; i < depth; ++i) {
    const std::string& level = levels[static_cast<size_t>(i) % levels.size()];
    inner = absl::StrReplaceAll(level, {{"@", inner}});
  }
  return inner;
}

TEST_F(FilterDepthTest, EveryShapeOfNestingRuns) {
  const std::vector<std::vector<std::string>> shapes = {
      {"age > 1 AND (@)"},
      {"age > 1 OR (@)"},
      {"age > 1 OR (@)", "age < 4 AND (@)"},
      {"age > 1 OR age = 2 OR (@)", "age < 4 AND age != 3 AND (@)"},
      {"age > 1 AND (@) OR age = 2"},
      {"age > 1 AND age < 4 OR (@)"},
      {"(@) AND age > 1", "(@) OR age < 2"},
      {"NOT (@)"},
      {"age > 1 AND NOT (@)"},
      {"age > 1 OR NOT (@)"},
      {"age > 1 AND age < 5 OR NOT (@)"},
      {"age > 1 OR NOT (@)", "age < 4 AND NOT (@)"},
      {"age > 1 OR NOT (@)", "age < 4 OR (@)"},
      {"age > 1 AND age < 4 OR NOT (@)", "age < 3 AND (@)"},
  };
  for (const std::vector<std::string>& shape : shapes) {
    int depth = kDepthMax;
    while (!Filter::Parse(Nest(shape, depth)).ok()) --depth;
    EXPECT_GE(depth, kDepthMax - 1) << "64 comparisons: two a level, and the innermost";
    ExpectRuns(Nest(shape, depth));
  }
}

TEST_F(FilterDepthTest, DeepOnesSideBySideRun) {
  const std::string half = Nest({"age > 1 AND (@)", "age < 4 OR (@)"}, kDepthMax - 1);
  ExpectRuns(absl::StrCat("(", half, ") AND (", half, ")"));
  ExpectRuns(absl::StrCat("(", half, ") OR (", half, ")"));
  ExpectRuns(absl::StrCat("NOT (", half, ") AND NOT (", half, ")"));
}

TEST_F(FilterDepthTest, AFullTreeUnderADeepNestRuns) {
  std::string tree = kTime;
  for (int level = 0; level < 5; ++level)
    tree = absl::StrCat("(", tree, ") ", level % 2 == 0 ? "AND" : "OR", " (", tree, ")");
  ExpectRuns(tree);
  ExpectRuns(Nest({"age > 1 AND (@)", "age < 4 OR (@)"}, kDepthMax - 5, tree));
}

}  // namespace
}  // namespace userservice::store
