// A model that tests write and read.
#pragma once

#include <cstring>

#include "formats/model_file.h"

namespace gradmill::formats {

/// Two layers, {3, 2, 4}: 8 and 12 parameters, counting up from 1, in sevenths.
template <typename T>
ModelFile small_model(ml::Precision precision) {
  ModelFile model;
  model.topology.units = {3, 2, 4};
  model.precision = precision;
  model.metadata = {{"activation", "relu"}, {"classes", "a \"b\" \xC3\xA4"}};
  for (int i = 1; i <= 20; ++i) {
    const T value = static_cast<T>(i) / 7;
    model.parameters.append(sizeof value, '\0');
    std::memcpy(&model.parameters[model.parameters.size() - sizeof value], &value, sizeof value);
  }
  return model;
}

inline ModelFile float_model() { return small_model<float>(ml::Precision::kFloat); }
inline ModelFile double_model() { return small_model<double>(ml::Precision::kDouble); }

}  // namespace gradmill::formats
