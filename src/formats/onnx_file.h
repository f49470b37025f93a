// A model as ONNX, for other runtimes: opset 13, IR version 7. One input `features`, float
// [N, features], raw rows; one output `probabilities`, float [N, classes]. Standardization is the
// graph's first two nodes; then a Gemm a layer, the activation between layers, and Softmax.
// ModelFile::metadata becomes metadata_props.
#pragma once

#include <string>

#include "formats/model_file.h"

namespace gradmill::formats {

/// The whole file; the same bytes for the same model. The graph computes in float: the weights of a
/// double model, and any mean and deviation, are rounded to it. Throws Error(kInvalidInput) if a
/// number is too large for that (a deviation also if too small), the model does not say its
/// activation, or its metadata is not UTF-8.
[[nodiscard]] std::string encode_onnx(const ModelFile& model);

}  // namespace gradmill::formats
