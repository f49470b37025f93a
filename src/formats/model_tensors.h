// The tensors of a model as its file names them, whatever the format.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::formats {

/// One tensor, not yet checked against the others.
struct TensorInfo {
  std::size_t layer = 0;
  bool bias = false;
  ml::Precision precision = ml::Precision::kFloat;
  std::vector<std::uint32_t> shape;  ///< weight [out, in], bias [out].

  [[nodiscard]] std::string name() const;
  /// Below 2^36, since units are capped.
  [[nodiscard]] std::uint64_t bytes() const;
};

/// What all refusals of the model file `name` begin with.
[[nodiscard]] Error not_a_model(const std::string& name, const std::string& why);

[[nodiscard]] std::string tensor_name(std::size_t layer, bool bias);

/// The tensor whose one spelling is `key`, without precision and shape. Throws not_a_model().
[[nodiscard]] TensorInfo tensor_named(std::string_view key, const std::string& name);

/// Sets the shape of `tensor`. Throws not_a_model() if it has the wrong rank or breaks a cap.
void set_shape(TensorInfo& tensor, std::span<const std::uint64_t> shape, const std::string& name);

/// Ascending layers, weight before bias.
[[nodiscard]] bool in_file_order(const TensorInfo& a, const TensorInfo& b);

/// Puts `tensors`, each with its `info`, in file order; returns what they are.
template <class Tensor>
[[nodiscard]] std::vector<TensorInfo> put_in_file_order(std::vector<Tensor>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
    return in_file_order(a.info, b.info);
  });
  std::vector<TensorInfo> infos;
  infos.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    infos.push_back(tensor.info);
  }
  return infos;
}

/// The topology of `tensors`, which are in file order. Throws not_a_model() unless each layer is
/// there once and whole, its inputs the outputs of the layer before, all of one precision and
/// within the caps.
[[nodiscard]] ml::Topology topology_of(std::span<const TensorInfo> tensors,
                                       const std::string& name);

/// Throws not_a_model() if `metadata` says that the model has another format of gradmill's; that of
/// other writers may say anything.
void check_model_format(const std::map<std::string, std::string>& metadata,
                        const std::string& name);

/// Throws not_a_model() unless each of a standardization's deviations is above 0.
void check_deviation(std::span<const double> deviation, const std::string& name);

/// The index of the first element of `data` that is nan or infinite.
[[nodiscard]] std::optional<std::size_t> first_not_finite(std::string_view data,
                                                          ml::Precision precision);

}  // namespace gradmill::formats
