#include "client/cli/bench/mix.h"

#include <array>

#include "absl/status/status.h"
#include "client/cli/bench/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace userservice::cli {
namespace {

using ::testing::HasSubstr;

std::array<int, kBenchOperations> PickMany(const Mix& mix, int times) {
  Random random(7);
  std::array<int, kBenchOperations> counts = {};
  for (int i = 0; i < times; ++i) ++counts[IndexOf(mix.Pick(random.Next()))];
  return counts;
}

TEST(MixTest, PicksByWeight) {
  const auto mix = Mix::Parse("get=80,list=15,create=5");
  ASSERT_TRUE(mix.ok()) << mix.status();
  const auto counts = PickMany(*mix, 100'000);
  EXPECT_NEAR(counts[IndexOf(BenchOperation::kGet)], 80'000, 1'000);
  EXPECT_NEAR(counts[IndexOf(BenchOperation::kList)], 15'000, 1'000);
  EXPECT_NEAR(counts[IndexOf(BenchOperation::kCreate)], 5'000, 500);
  EXPECT_EQ(counts[IndexOf(BenchOperation::kUpdate)], 0);
}

TEST(MixTest, TakesWeight1ForAnOperationWithoutOne) {
  const auto mix = Mix::Parse("export");
  ASSERT_TRUE(mix.ok()) << mix.status();
  EXPECT_TRUE(mix->Has(BenchOperation::kExport));
  EXPECT_EQ(PickMany(*mix, 100)[IndexOf(BenchOperation::kExport)], 100);
}

TEST(MixTest, HasNothingOfWeight0) {
  const auto mix = Mix::Parse("get,create=0");
  ASSERT_TRUE(mix.ok()) << mix.status();
  EXPECT_FALSE(mix->Has(BenchOperation::kCreate));
  EXPECT_FALSE(mix->Has(BenchOperation::kList));
}

TEST(MixTest, NamesEveryOperationAsItIsParsed) {
  for (size_t i = 0; i < kBenchOperations; ++i) {
    const auto operation = static_cast<BenchOperation>(i);
    const auto mix = Mix::Parse(NameOf(operation));
    ASSERT_TRUE(mix.ok()) << mix.status();
    EXPECT_TRUE(mix->Has(operation)) << NameOf(operation);
  }
}

TEST(MixTest, SaysWhatIsWrong) {
  const auto problem = [](std::string_view text) {
    const auto mix = Mix::Parse(text);
    EXPECT_EQ(mix.status().code(), absl::StatusCode::kInvalidArgument) << std::string(text);
    return std::string(mix.status().message());
  };
  EXPECT_THAT(problem("gets=1"), HasSubstr("'gets' is none of get, lookup, batch_get"));
  EXPECT_THAT(problem(""), HasSubstr("'' is none of"));
  EXPECT_THAT(problem("get=1,"), HasSubstr("'' is none of"));
  EXPECT_THAT(problem("get=1,get=2"), HasSubstr("get is named twice"));
  EXPECT_THAT(problem("get=-1"), HasSubstr("the weight of get, '-1'"));
  EXPECT_THAT(problem("get="), HasSubstr("the weight of get, ''"));
  EXPECT_THAT(problem("get=1.5"), HasSubstr("'1.5'"));
  EXPECT_THAT(problem("get=1=2"), HasSubstr("'1=2'"));
  EXPECT_THAT(problem("get=2000000"), HasSubstr("from 0 to 1000000"));
  EXPECT_THAT(problem("get=0,list=0"), HasSubstr("all weights are 0"));
}

}  // namespace
}  // namespace userservice::cli
