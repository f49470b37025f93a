// The products with units in lanes, as this build's own instruction set has them.
#include "ml/kernel/unit_tiles.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/sample_rows.h"
#include "ml/whole_numbers.h"

namespace gradmill::ml {
namespace {

template <class T>
class UnitTilesTest : public testing::Test {
 protected:
  static constexpr std::size_t kCount = Lanes<T>::kCount;
  static constexpr std::size_t kSizes[] = {1, 2, 15, 17, 63, 65, 128, 131, 259};

  static std::size_t padded(std::size_t units) { return (units + kCount - 1) / kCount * kCount; }

  AlignedArray<T> whole_numbers(std::size_t size) { return ml::whole_numbers<T>(draw_, size); }

  /// A matrix [out][in] in panels over the outputs, padded with zeros.
  static AlignedArray<T> panels(const AlignedArray<T>& matrix, std::size_t out, std::size_t in) {
    AlignedArray<T> values(padded(out) * in);
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        values.data()[place(out, in, o, i)] = matrix.data()[o * in + i];
      }
    }
    return values;
  }
  static std::size_t place(std::size_t out, std::size_t in, std::size_t o, std::size_t i) {
    const std::size_t first = o / kPanelUnits<T> * kPanelUnits<T>;
    const std::size_t width = std::min(kPanelUnits<T>, padded(out) - first);
    return first * in + i * width + (o - first);
  }

  /// Samples by units in panels, with a spare row in each.
  struct SamplePanels {
    std::size_t row;
    std::size_t panel;
    AlignedArray<T> values;

    UnitPanels<T> view() { return {values.data(), row, panel}; }
    UnitPanels<const T> read_only() const { return {values.data(), row, panel}; }
    T& at(std::size_t sample, std::size_t unit) {
      return values.data()[unit / kPanelUnits<T> * panel + sample * row + unit % kPanelUnits<T>];
    }
  };
  static SamplePanels sample_panels(std::size_t units, std::size_t rows) {
    const std::size_t row = std::min(kPanelUnits<T>, padded(units));
    const std::size_t panel = (rows + 1) * row;
    const std::size_t count = (units + kPanelUnits<T> - 1) / kPanelUnits<T>;
    return {row, panel, AlignedArray<T>(count * panel)};
  }

 private:
  Draw draw_{32};
};
TYPED_TEST_SUITE(UnitTilesTest, Precisions, PrecisionNames);

TYPED_TEST(UnitTilesTest, ForwardMultipliesPanelsOrRowsAndAddsTheBias) {
  for (const std::size_t out : this->kSizes) {
    // The last is deeper than what a tile takes at a time.
    for (const std::size_t in : {1U, 7U, 129U, 260U, 1100U}) {
      for (const std::size_t rows : {1U, 5U, 13U}) {
        const auto matrix = this->whole_numbers(out * in);
        const auto weights = this->panels(matrix, out, in);
        const auto bias = this->whole_numbers(this->padded(out));
        const std::size_t stride = row_stride<TypeParam>(in);
        const auto source = this->whole_numbers(rows * stride);
        auto in_panels = this->sample_panels(in, rows);
        for (std::size_t row = 0; row < rows; ++row) {
          for (std::size_t i = 0; i < in; ++i) {
            in_panels.at(row, i) = source.data()[row * stride + i];
          }
        }
        auto of_panels = this->sample_panels(out, rows);
        auto of_rows = this->sample_panels(out, rows);
        const LayerSize size = {this->padded(out) / TestFixture::kCount, in, rows};
        unit_forward<MlPy>(
            of_panels.view(), in_panels.read_only(), weights.data(), bias.data(), size);
        const UnitPanels<const TypeParam> row_major = {
            source.data(), stride, kPanelUnits<TypeParam>};
        unit_forward<MlPy>(of_rows.view(), row_major, weights.data(), bias.data(), size);
        for (std::size_t row = 0; row < rows; ++row) {
          for (std::size_t o = 0; o < out; ++o) {
            TypeParam sum = bias.data()[o];
            for (std::size_t i = 0; i < in; ++i) {
              sum += matrix.data()[o * in + i] * source.data()[row * stride + i];
            }
            ASSERT_EQ(of_panels.at(row, o), sum) << out << " " << in << " " << rows;
            ASSERT_EQ(of_rows.at(row, o), sum) << out << " " << in << " " << rows;
          }
        }
      }
    }
  }
}

TYPED_TEST(UnitTilesTest, BackwardMultipliesWithoutBiasAndByTheDerivative) {
  constexpr std::size_t kRows = 7;
  for (const std::size_t out : this->kSizes) {
    const std::size_t in = 70;
    const auto matrix = this->whole_numbers(out * in);
    const auto weights = this->panels(matrix, out, in);
    auto source = this->sample_panels(in, kRows);
    auto outputs = this->sample_panels(out, kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t i = 0; i < in; ++i) {
        source.at(row, i) = static_cast<TypeParam>((row + 3 * i) % 5);
      }
      for (std::size_t o = 0; o < out; ++o) {
        outputs.at(row, o) = (row + o) % 2 == 0 ? TypeParam(1) : TypeParam(-0.0);
      }
    }
    AlignedArray<TypeParam> scratch(kRows * kPanelUnits<TypeParam>);
    unit_backward<Relu>(outputs.view(),
                        scratch.data(),
                        source.read_only(),
                        weights.data(),
                        {this->padded(out) / TestFixture::kCount, in, kRows});
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t o = 0; o < out; ++o) {
        TypeParam sum = 0;
        for (std::size_t i = 0; i < in; ++i) {
          sum += matrix.data()[o * in + i] * source.at(row, i);
        }
        ASSERT_EQ(outputs.at(row, o), (row + o) % 2 == 0 ? sum : TypeParam(0)) << out;
      }
    }
  }
}

TYPED_TEST(UnitTilesTest, UnitGradientSumsOverSamplesFromZeroOrFromWhatIsThere) {
  constexpr std::size_t kVector = TestFixture::kCount;
  for (const std::size_t units : {kVector, 2 * kVector, 3 * kVector, 4 * kVector}) {
    for (const std::size_t inputs : {1U, 5U, 13U, 96U}) {
      for (const std::size_t rows : {1U, 127U, 129U, 300U}) {
        const std::size_t ldd = row_stride<TypeParam>(units);
        const std::size_t lds = row_stride<TypeParam>(inputs);
        const auto delta = this->whole_numbers(rows * ldd);
        const auto source = this->whole_numbers(rows * lds);
        AlignedArray<TypeParam> gradient(inputs * units);
        std::fill_n(gradient.data(), gradient.size(), TypeParam(77));
        for (const TypeParam times : {TypeParam(1), TypeParam(2)}) {
          unit_gradient(gradient.data(),
                        units,
                        delta.data(),
                        ldd,
                        source.data(),
                        lds,
                        inputs,
                        rows,
                        times > 1);
          for (std::size_t i = 0; i < inputs; ++i) {
            for (std::size_t u = 0; u < units; ++u) {
              TypeParam sum = 0;
              for (std::size_t row = 0; row < rows; ++row) {
                sum += source.data()[row * lds + i] * delta.data()[row * ldd + u];
              }
              ASSERT_EQ(gradient.data()[i * units + u], times * sum);
            }
          }
        }
      }
    }
  }
}

TYPED_TEST(UnitTilesTest, UnitBiasGradientSumsOverSamplesFromZeroOrFromWhatIsThere) {
  constexpr std::size_t kRows = 70;
  const std::size_t units = kPanelUnits<TypeParam> + TestFixture::kCount;
  auto delta = this->sample_panels(units, kRows);
  delta.values = this->whole_numbers(delta.values.size());
  AlignedArray<TypeParam> gradient(units);
  std::fill_n(gradient.data(), gradient.size(), TypeParam(77));
  for (const TypeParam times : {TypeParam(1), TypeParam(2)}) {
    unit_bias_gradient(
        gradient.data(), delta.read_only(), units / TestFixture::kCount, kRows, times > 1);
    for (std::size_t u = 0; u < units; ++u) {
      TypeParam sum = 0;
      for (std::size_t row = 0; row < kRows; ++row) {
        sum += delta.at(row, u);
      }
      EXPECT_EQ(gradient.data()[u], times * sum);
    }
  }
}

TYPED_TEST(UnitTilesTest, TransposePanelsTurnsPanelsOverOutputsIntoPanelsOverInputs) {
  for (const std::size_t out : this->kSizes) {
    for (const std::size_t in : this->kSizes) {
      const auto matrix = this->whole_numbers(out * in);
      const auto from = this->panels(matrix, out, in);
      const std::size_t size = this->padded(in) * out;
      const std::size_t spill = TestFixture::kCount * kPanelUnits<TypeParam>;
      AlignedArray<TypeParam> to(size + spill);
      std::fill_n(to.data(), to.size(), TypeParam(77));
      transpose_panels(to.data(), from.data(), out, in);
      for (std::size_t i = 0; i < this->padded(in); ++i) {
        for (std::size_t o = 0; o < out; ++o) {
          const TypeParam expected = i < in ? matrix.data()[o * in + i] : 0;
          ASSERT_EQ(to.data()[this->place(in, out, i, o)], expected) << out << " " << in;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gradmill::ml
