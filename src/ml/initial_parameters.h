// The weights a job starts from.
#pragma once

#include <vector>

#include "ml/training_rule.h"

namespace gradmill::ml {

/// Draws from MT19937, seeded with the low 32 bits of the rule's seed, as 53-bit doubles: the last
/// layer first, and in each layer the bias row, then a row per input, as the course's program draws
/// them. In the layout of layer_views(), rounded to T.
///
/// kGd: weights and biases uniform in [-0.01, 0.01), the course's. Else biases 0 and weights
/// uniform in [-b, b), with b^2 = 6 / inputs for relu (He et al. 2015) and 6 / (inputs + outputs)
/// for the others and for the last layer (Glorot and Bengio 2010).
template <class T>
[[nodiscard]] std::vector<T> initial_parameters(const TrainingRule& rule);

extern template std::vector<float> initial_parameters(const TrainingRule&);
extern template std::vector<double> initial_parameters(const TrainingRule&);

}  // namespace gradmill::ml
