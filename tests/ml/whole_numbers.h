// Matrices of small whole numbers, whose sums of products are exact in any order.
#pragma once

#include <cstddef>

#include "ml/aligned.h"
#include "ml/random_shard.h"

namespace gradmill::ml {

/// Uniform in -8..8.
template <class T>
AlignedArray<T> whole_numbers(Draw& draw, std::size_t size) {
  AlignedArray<T> values(size);
  for (T& value : values.span()) {
    value = static_cast<T>(draw.below(17)) - 8;
  }
  return values;
}

}  // namespace gradmill::ml
