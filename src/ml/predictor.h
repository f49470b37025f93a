// Classes of rows, by a trained network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "ml/standardization.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// A trained network as its model file has it.
struct Network {
  Topology topology;
  Activation activation = Activation::kRelu;
  Precision precision = Precision::kFloat;
  Standardization standardization;
  std::string parameters;  ///< The flat block, little endian.
};

/// Raw features of rows that somebody else owns: row-major, bytes or floats.
struct RowsView {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::variant<const std::uint8_t*, const float*> values;
};

/// A network laid out for the kernels. Immutable, so threads may share it.
class PreparedNetwork {
 public:
  /// The sizes of `network` must agree with each other.
  explicit PreparedNetwork(Network network);
  PreparedNetwork(const PreparedNetwork&) = delete;
  PreparedNetwork& operator=(const PreparedNetwork&) = delete;
  ~PreparedNetwork();

  [[nodiscard]] const Topology& topology() const;
  /// Of memory, about.
  [[nodiscard]] std::size_t bytes() const;

 private:
  friend class Predictor;
  struct Layout;
  template <class T>
  struct LayoutOf;
  std::unique_ptr<const Layout> layout_;
};

/// The arithmetic of training and validation, forward alone: the same bits, whatever rows are asked
/// about together. Holds workspaces and allocates nothing a row; for one thread at a time.
class Predictor {
 public:
  explicit Predictor(std::shared_ptr<const PreparedNetwork> network);
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  ~Predictor();

  /// Writes the most probable class of each row, the lowest on ties, and its probability. `rows`
  /// has as many features as the network.
  void predict(const RowsView& rows, std::uint16_t* classes, float* probabilities);

 private:
  friend class PreparedNetwork;
  class Work;
  template <class T>
  class InBlocks;
  template <class T>
  class InRows;

  std::shared_ptr<const PreparedNetwork> network_;
  std::unique_ptr<Work> work_;
};

}  // namespace gradmill::ml
