// The products with samples in lanes, as this build's own instruction set has them.
#include "ml/kernel/sample_tiles.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/whole_numbers.h"

namespace gradmill::ml {
namespace {

using testing::ElementsAre;
using Order = std::vector<std::uint32_t>;

constexpr std::size_t kLd = 80;       // of which
constexpr std::size_t kSamples = 64;  // are used: an even number of vectors in either precision,
constexpr std::size_t kFewer = 48;    // and an odd one in float.

TEST(DenseOrder, LaysATileOutInputByInput) {
  constexpr std::size_t kOut = 2 * kDenseOuts + 1;
  constexpr std::size_t kIn = 3;
  Order order(kOut * kIn);
  dense_order(order.data(), kOut, kIn, kIn, 1);
  auto place = order.begin();
  for_each_tile(kOut, kDenseOuts, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < kIn; ++i) {
      for (std::size_t o = 0; o < count; ++o) {
        EXPECT_EQ(*place++, (first + o) * kIn + i);
      }
    }
  });
}

TEST(DenseOrder, TakesATransposedMatrixByItsStrides) {
  Order order(6);
  dense_order(order.data(), 3, 2, 1, 3);  // Of a matrix [2][3].
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5));
  dense_order(order.data(), 3, 2, 2, 1);  // Of a matrix [3][2].
  EXPECT_THAT(order, ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST(OuterOrder, NamesEachElementOnce) {
  for (std::size_t out = 1; out <= 2 * kOuterOuts + 1; ++out) {
    for (std::size_t in = 1; in <= 2 * kOuterIns + 1; ++in) {
      Order order(out * in);
      outer_order(order.data(), out, in);
      std::sort(order.begin(), order.end());
      Order all(out * in);
      std::iota(all.begin(), all.end(), 0U);
      EXPECT_EQ(order, all);
    }
  }
}

template <class T>
class SampleTilesTest : public testing::Test {
 protected:
  AlignedArray<T> whole_numbers(std::size_t size) { return ml::whole_numbers<T>(draw_, size); }

  /// The matrix [out][in] in the order of dense_order().
  static AlignedArray<T> packed(const AlignedArray<T>& matrix, std::size_t out, std::size_t in) {
    Order order(out * in);
    dense_order(order.data(), out, in, in, 1);
    AlignedArray<T> values(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
      values.data()[k] = matrix.data()[order[k]];
    }
    return values;
  }

  /// The element (o, s) of matrix [out][in] * source [in][kLd].
  static T product(const AlignedArray<T>& matrix,
                   const AlignedArray<T>& source,
                   std::size_t in,
                   std::size_t o,
                   std::size_t s) {
    T sum = 0;
    for (std::size_t i = 0; i < in; ++i) {
      sum += matrix.data()[o * in + i] * source.data()[i * kLd + s];
    }
    return sum;
  }

  /// Calls check(out, in, samples) for sizes around those of tiles and strips.
  template <class F>
  static void for_sizes(const F& check) {
    for (std::size_t out = 1; out <= 2 * kDenseOuts + 2; ++out) {
      for (const std::size_t in : {1U, 2U, 5U, 16U}) {
        check(out, in, kSamples);
        check(out, in, kFewer);
      }
    }
  }

 private:
  Draw draw_{31};
};
TYPED_TEST_SUITE(SampleTilesTest, Precisions, PrecisionNames);

TYPED_TEST(SampleTilesTest, DenseForwardMultipliesAddsTheBiasAndAppliesTheFunction) {
  this->for_sizes([&](std::size_t out, std::size_t in, std::size_t samples) {
    const auto matrix = this->whole_numbers(out * in);
    const auto bias = this->whole_numbers(out);
    const auto source = this->whole_numbers(in * kLd);
    const auto packed = this->packed(matrix, out, in);
    AlignedArray<TypeParam> plain(out * kLd);
    AlignedArray<TypeParam> relu(out * kLd);
    std::fill_n(plain.data(), plain.size(), TypeParam(77));
    dense_forward<MlPy>(
        plain.data(), source.data(), packed.data(), bias.data(), out, in, samples, kLd);
    dense_forward<Relu>(
        relu.data(), source.data(), packed.data(), bias.data(), out, in, samples, kLd);
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t s = 0; s < samples; ++s) {
        const TypeParam sum = this->product(matrix, source, in, o, s) + bias.data()[o];
        ASSERT_EQ(plain.data()[o * kLd + s], sum);
        ASSERT_EQ(relu.data()[o * kLd + s], std::max<TypeParam>(sum, 0));
      }
      for (std::size_t s = samples; s < kLd; ++s) {
        ASSERT_EQ(plain.data()[o * kLd + s], 77);
      }
    }
  });
}

TYPED_TEST(SampleTilesTest, DenseBackwardMultipliesByTheDerivativeAtTheOutputs) {
  this->for_sizes([&](std::size_t out, std::size_t in, std::size_t samples) {
    const auto matrix = this->whole_numbers(out * in);
    const auto source = this->whole_numbers(in * kLd);
    const auto packed = this->packed(matrix, out, in);
    const auto outputs = this->whole_numbers(out * kLd);
    AlignedArray<TypeParam> deltas(out * kLd);
    std::copy_n(outputs.data(), outputs.size(), deltas.data());
    dense_backward<MlPy>(deltas.data(), source.data(), packed.data(), out, in, samples, kLd);
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t s = 0; s < kLd; ++s) {
        const TypeParam output = outputs.data()[o * kLd + s];
        const TypeParam delta = s >= samples  ? output
                                : output >= 0 ? this->product(matrix, source, in, o, s)
                                              : 0;
        ASSERT_EQ(deltas.data()[o * kLd + s], delta);
      }
    }
  });
}

TYPED_TEST(SampleTilesTest, OuterProductsReduceToSumsOverSamplesAndWriteNoFurther) {
  constexpr std::size_t kCount = Lanes<TypeParam>::kCount;
  for (std::size_t out = 1; out <= 2 * kOuterOuts + 1; ++out) {
    for (std::size_t in = 1; in <= 2 * kOuterIns + 1; ++in) {
      const std::size_t size = out * in;
      const std::size_t padded = (size + kCount - 1) / kCount * kCount;
      Order order(padded, static_cast<std::uint32_t>(size));
      outer_order(order.data(), out, in);
      const AlignedArray<TypeParam> left = this->whole_numbers(out * kLd);
      const AlignedArray<TypeParam> right = this->whole_numbers(in * kLd);
      AlignedArray<TypeParam> sums(padded * kCount);
      outer_product(sums.data(), left.data(), right.data(), out, in, kFewer, kLd);
      const std::span<TypeParam> beyond = sums.span().subspan(size * kCount);
      ASSERT_EQ(std::count(beyond.begin(), beyond.end(), TypeParam(0)), beyond.size());
      AlignedArray<TypeParam> totals(padded);
      reduce_sums(totals.data(), sums.data(), padded);
      std::vector<TypeParam> gradient(size + 1, TypeParam(77));
      for (std::size_t k = 0; k < padded; ++k) {
        gradient[order[k]] = totals.data()[k];
      }
      for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t i = 0; i < in; ++i) {
          TypeParam sum = 0;
          for (std::size_t s = 0; s < kFewer; ++s) {
            sum += left.data()[o * kLd + s] * right.data()[i * kLd + s];
          }
          ASSERT_EQ(gradient[o * in + i], sum) << out << " x " << in;
        }
      }
    }
  }
}

TYPED_TEST(SampleTilesTest, RowSumsAreASumForEachLane) {
  constexpr std::size_t kCount = Lanes<TypeParam>::kCount;
  for (std::size_t out = 1; out <= 17; ++out) {
    const auto left = this->whole_numbers(out * kLd);
    AlignedArray<TypeParam> sums(out * kCount);
    row_sums(sums.data(), left.data(), out, kSamples, kLd);
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t lane = 0; lane < kCount; ++lane) {
        TypeParam sum = 0;
        for (std::size_t s = lane; s < kSamples; s += kCount) {
          sum += left.data()[o * kLd + s];
        }
        EXPECT_EQ(sums.data()[o * kCount + lane], sum);
      }
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
