#include "ml/server_optimizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/parameter_bytes.h"
#include "ml/random_shard.h"

namespace gradmill::ml {
namespace {

using testing::ElementsAre;

/// One shard's delta as values.
template <class T>
struct Part {
  std::vector<T> delta;
  std::uint64_t rows = 1;
};

/// One job's weights at the coordinator, round by round.
template <class T>
class Server {
 public:
  Server(std::vector<T> weights, const ServerRule& rule)
      : weights_(std::move(weights)), rule_(rule) {}

  const std::vector<T>& step(const std::vector<Part<T>>& parts) {
    std::vector<std::string> bytes;
    for (const Part<T>& part : parts) {
      bytes.push_back(bytes_from<T>(part.delta));
    }
    std::vector<WeightedDelta> deltas;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      deltas.push_back({bytes[k], parts[k].rows});
    }
    weights_ = parameters_from<T>(
        server_step(bytes_from<T>(weights_), deltas, kPrecisionOf<T>, rule_, ++round_, state_));
    return weights_;
  }
  const ServerState& state() const { return state_; }

 private:
  std::vector<T> weights_;
  ServerRule rule_;
  std::uint32_t round_ = 0;
  ServerState state_;
};

/// The formulas as the papers have them, an element at a time.
template <class T>
class Twin {
 public:
  Twin(std::vector<T> weights, const ServerRule& rule)
      : weights_(std::move(weights)),
        rule_(rule),
        first_(weights_.size()),
        second_(weights_.size()) {}

  const std::vector<T>& step(const std::vector<Part<T>>& parts) {
    ++round_;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      long double sum = 0;
      long double rows = 0;
      for (const Part<T>& part : parts) {
        sum += static_cast<long double>(part.rows) * part.delta[k];
        rows += static_cast<long double>(part.rows);
      }
      weights_[k] = static_cast<T>(weights_[k] + rule_.eta * direction(k, sum / rows));
    }
    return weights_;
  }

 private:
  long double direction(std::size_t k, long double delta) {
    const long double beta = rule_.momentum;
    if (rule_.optimizer == ServerOptimizer::kAverage) {
      return delta;
    }
    if (rule_.optimizer == ServerOptimizer::kMomentum) {
      return first_[k] = beta * first_[k] + delta;
    }
    first_[k] = beta * first_[k] + (1 - beta) * delta;
    second_[k] = 0.99L * second_[k] + 0.01L * delta * delta;
    const long double mean = first_[k] / (1 - std::pow(beta, round_));
    const long double square = second_[k] / (1 - std::pow(0.99L, round_));
    return mean / (std::sqrt(square) + 1e-3L);
  }

  std::vector<T> weights_;
  ServerRule rule_;
  std::vector<long double> first_;
  std::vector<long double> second_;
  int round_ = 0;
};

template <class T>
std::vector<T> random_values(std::size_t size, std::uint32_t seed) {
  Draw draw(seed);
  std::vector<T> values(size);
  for (T& value : values) {
    value = static_cast<T>(draw.between(-3, 3) / 7);
  }
  return values;
}

template <class T>
std::vector<Part<T>> random_parts(std::size_t size, std::uint32_t seed) {
  std::vector<Part<T>> parts;
  for (std::uint32_t k = 0; k < 11; ++k) {
    parts.push_back({random_values<T>(size, 100 * seed + k), 1000 + 77 * k});
  }
  return parts;
}

template <class T>
std::vector<T> average(const std::vector<T>& weights, const std::vector<Part<T>>& parts) {
  return Server<T>(weights, {}).step(parts);
}

template <class T>
class ServerStepTest : public testing::Test {};
TYPED_TEST_SUITE(ServerStepTest, Precisions, PrecisionNames);

TYPED_TEST(ServerStepTest, AddsTheMeanOfTheDeltasWeightedByRows) {
  EXPECT_THAT(average<TypeParam>({10, -1}, {{{1, 8}, 3}, {{5, 0}, 1}}), ElementsAre(12, 5));
  EXPECT_THAT(average<TypeParam>({10, -1}, {{{1, 2}, 1500}}), ElementsAre(11, 1));
}

// Element by element, also across the strips in which it works.
TYPED_TEST(ServerStepTest, IsThePlainLoopForAnySize) {
  for (const std::size_t size : {0U, 1U, 2U, 15U, 2047U, 2048U, 2049U, 5000U}) {
    const auto weights = random_values<TypeParam>(size, 91);
    std::vector<Part<TypeParam>> parts;
    double rows = 0;
    for (std::uint32_t k = 0; k < 11; ++k) {
      parts.push_back({random_values<TypeParam>(size, 92 + k), 1000 + 77 * k});
      rows += 1000 + 77 * k;
    }
    const auto actual = average(weights, parts);
    ASSERT_EQ(actual.size(), size);
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0;
      for (const auto& part : parts) {
        sum += static_cast<double>(part.rows) * double{part.delta[k]};
      }
      ASSERT_EQ(actual[k], static_cast<TypeParam>(double{weights[k]} + sum / rows)) << k;
    }
  }
}

TYPED_TEST(ServerStepTest, SumsInTheOrderGiven) {
  // In double, 1 is lost beside 2^60, but not after 2^60 - 2^60.
  const auto big = static_cast<TypeParam>(0x1p60);
  EXPECT_THAT(average<TypeParam>({0}, {{{big}}, {{1}}, {{-big}}, {{0}}}), ElementsAre(0));
  EXPECT_THAT(average<TypeParam>({0}, {{{big}}, {{-big}}, {{1}}, {{0}}}), ElementsAre(0.25));
}

TYPED_TEST(ServerStepTest, TakesRowsBeyondThirtyTwoBits) {
  EXPECT_THAT(average<TypeParam>({0}, {{{4}, std::uint64_t{1} << 40U}, {{0}, 1}}),
              ElementsAre(static_cast<TypeParam>(4 * 0x1p40 / (0x1p40 + 1))));
}

TEST(ServerStep, AccumulatesFloatsInDouble) {
  // In float, each 1 would be lost beside 2^24.
  const std::vector<Part<float>> parts = {{{0x1p24F}}, {{1}}, {{1}}, {{-0x1p24F}}};
  EXPECT_THAT(average<float>({0}, parts), ElementsAre(0.5F));
}

TEST(ServerStep, RoundsToFloatOnce) {
  // 1 + 2^-24 + 2^-50 rounds up; a mean rounded to float first would be 2^-24, and then the tie of
  // 1 + 2^-24 rounds down.
  const std::vector<Part<float>> parts = {{{0x1p-23F}}, {{0x1p-49F}}};
  EXPECT_THAT(average<float>({1}, parts), ElementsAre(1 + 0x1p-23F));
}

// With its state over many rounds, across the strips in which it works. Some 40 roundings in
// another precision than the twin's, of weights of up to 2^5.
TYPED_TEST(ServerStepTest, FollowsTheTwinOverRounds) {
  const double tolerance = 1024.0 * std::numeric_limits<TypeParam>::epsilon();
  for (const ServerRule& rule : {ServerRule{ServerOptimizer::kAverage, 1, 0},
                                 ServerRule{ServerOptimizer::kAverage, 0.7, 0},
                                 ServerRule{ServerOptimizer::kMomentum, 0.7, 0.7},
                                 ServerRule{ServerOptimizer::kMomentum, 1, 0.99},
                                 ServerRule{ServerOptimizer::kAdam, 0.03, 0.9},
                                 ServerRule{ServerOptimizer::kAdam, 0.1, 0}}) {
    const auto weights = random_values<TypeParam>(5000, 7);
    Server<TypeParam> server(weights, rule);
    Twin<TypeParam> twin(weights, rule);
    for (std::uint32_t round = 1; round <= 40; ++round) {
      const auto parts = random_parts<TypeParam>(weights.size(), round);
      const auto& actual = server.step(parts);
      const auto& expected = twin.step(parts);
      for (std::size_t k = 0; k < weights.size(); ++k) {
        ASSERT_NEAR(actual[k], expected[k], tolerance) << "round " << round << ", " << k;
      }
    }
  }
}

TYPED_TEST(ServerStepTest, MomentumOfZeroIsTheAverageBitForBit) {
  const auto weights = random_values<TypeParam>(3000, 8);
  Server<TypeParam> plain(weights, {});
  Server<TypeParam> momentum(weights, {ServerOptimizer::kMomentum, 1, 0});
  for (std::uint32_t round = 1; round <= 5; ++round) {
    const auto parts = random_parts<TypeParam>(weights.size(), round);
    ASSERT_EQ(bytes_from<TypeParam>(momentum.step(parts)),
              bytes_from<TypeParam>(plain.step(parts)));
  }
}

TYPED_TEST(ServerStepTest, MomentumAddsUp) {
  Server<TypeParam> server({0}, {ServerOptimizer::kMomentum, 2, 0.5});
  EXPECT_THAT(server.step({{{4}}}), ElementsAre(8));    // v = 4
  EXPECT_THAT(server.step({{{4}}}), ElementsAre(20));   // v = 6
  EXPECT_THAT(server.step({{{-3}}}), ElementsAre(20));  // v = 0
}

// Moment and square root of the first round are the delta itself, whatever beta 1.
TYPED_TEST(ServerStepTest, AdamsFirstStepHasAClosedForm) {
  const std::vector<TypeParam> deltas = {0, 1e-3F, -1e-3F, 0.5, -200};
  for (const double beta : {0.0, 0.5, 0.9, 0.99}) {
    Server<TypeParam> server(std::vector<TypeParam>(deltas.size(), 0),
                             {ServerOptimizer::kAdam, 0.25, beta});
    const std::vector<TypeParam>& actual = server.step({{deltas, 3}});
    for (std::size_t k = 0; k < deltas.size(); ++k) {
      const double delta = deltas[k];
      const double expected = 0.25 * delta / (std::abs(delta) + 1e-3);
      EXPECT_NEAR(actual[k], expected, 1e-6 * std::abs(expected)) << k;
    }
  }
}

TYPED_TEST(ServerStepTest, KeepsOnlyTheStateItsRuleNeeds) {
  const auto state_after = [](ServerOptimizer optimizer) {
    Server<TypeParam> server({1, 2, 3}, {optimizer, 1, 0});
    server.step({{{1, 1, 1}}});
    return server.state();
  };
  EXPECT_TRUE(state_after(ServerOptimizer::kAverage).first.empty());
  EXPECT_EQ(state_after(ServerOptimizer::kMomentum).first.size(), 3U);
  EXPECT_TRUE(state_after(ServerOptimizer::kMomentum).second.empty());
  EXPECT_EQ(state_after(ServerOptimizer::kAdam).second.size(), 3U);
}

TEST(ServerStepDeathTest, DiesOfPartsThatDoNotFit) {
  const auto apply = [](std::string_view weights,
                        const std::vector<WeightedDelta>& deltas,
                        ServerState state = {},
                        std::uint32_t round = 1) {
    const ServerRule rule = {ServerOptimizer::kMomentum, 1, 0.5};
    static_cast<void>(server_step(weights, deltas, Precision::kFloat, rule, round, state));
  };
  EXPECT_DEATH(apply("12345678", {}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"1234", 1}}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"12345678", 0}}), "gradmill: bug:");
  EXPECT_DEATH(apply("123456", {{"123456", 1}}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"12345678", 1}}, {{0}, {}}), "gradmill: bug:");
  EXPECT_DEATH(apply("12345678", {{"12345678", 1}}, {}, 0), "gradmill: bug:");
}

template <class T>
class AllFiniteTest : public testing::Test {
 protected:
  static bool all_finite_of(const std::vector<T>& values) {
    return all_finite(bytes_from<T>(values), kPrecisionOf<T>);
  }
};
TYPED_TEST_SUITE(AllFiniteTest, Precisions, PrecisionNames);

TYPED_TEST(AllFiniteTest, HoldsForEveryFiniteNumber) {
  using Limits = std::numeric_limits<TypeParam>;
  EXPECT_TRUE(this->all_finite_of({}));
  for (const TypeParam value : {TypeParam(0),
                                TypeParam(-0.0),
                                TypeParam(1),
                                Limits::denorm_min(),
                                -Limits::denorm_min(),
                                Limits::min(),
                                Limits::max(),
                                Limits::lowest()}) {
    EXPECT_TRUE(this->all_finite_of({value})) << value;
    EXPECT_TRUE(this->all_finite_of(std::vector<TypeParam>(67, value))) << value;
  }
}

TYPED_TEST(AllFiniteTest, FindsNanAndInfinityAtEveryPosition) {
  using Limits = std::numeric_limits<TypeParam>;
  for (std::size_t size = 1; size <= 67; ++size) {
    for (std::size_t position = 0; position < size; ++position) {
      for (const TypeParam value : {Limits::quiet_NaN(),
                                    -Limits::quiet_NaN(),
                                    Limits::signaling_NaN(),
                                    Limits::infinity(),
                                    -Limits::infinity()}) {
        std::vector<TypeParam> values(size, Limits::max());
        values[position] = value;
        ASSERT_FALSE(this->all_finite_of(values)) << value << " at " << position << " of " << size;
      }
    }
  }
}

TYPED_TEST(AllFiniteTest, LooksThroughBytesThatAreNotAligned) {
  std::vector<TypeParam> values(9, 1);
  const std::string fine = "x" + bytes_from<TypeParam>(values);
  values[8] = std::numeric_limits<TypeParam>::infinity();
  const std::string infinite = "x" + bytes_from<TypeParam>(values);
  EXPECT_TRUE(all_finite(std::string_view(fine).substr(1), kPrecisionOf<TypeParam>));
  EXPECT_FALSE(all_finite(std::string_view(infinite).substr(1), kPrecisionOf<TypeParam>));
}

}  // namespace
}  // namespace gradmill::ml
