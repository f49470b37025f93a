// The model file: safetensors, tensors `layers.N.weight` [out, in] and `layers.N.bias` [out], N
// ascending, weight before bias, little endian. The data section is the flat parameter block, so
// its SHA-256 is `parameters_sha256`. A model of standardized features has them in its metadata:
// `standardization_mean` and `standardization_deviation`, JSON lists of a number a feature.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ml/standardization.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill::formats {

/// A trained model: the flat parameter block and what is known about it.
struct ModelFile {
  ml::Topology topology;
  ml::Precision precision = ml::Precision::kFloat;
  ml::Standardization standardization;          ///< Of the features, wherever the model is used.
  std::map<std::string, std::string> metadata;  ///< The rest of `__metadata__`: string to string.
  std::string parameters;                       ///< Data section; parameter_count * element bytes.
};

/// The function of the model's hidden units: `activation` of its metadata. Nothing if that does not
/// say; throws Error(kInvalidInput) starting with "name: " if it says what nobody knows.
[[nodiscard]] std::optional<ml::Activation> activation_of(const ModelFile& model,
                                                          const std::string& name);

/// The bytes before the data section: u64 length and the JSON header, padded with blanks to 8. The
/// same for the same topology, precision and metadata; `parameters` are not looked at. Throws
/// Error(kInvalidInput) if the metadata is not UTF-8 or makes a header of more than 16 MiB.
[[nodiscard]] std::string encode_model_header(const ModelFile& model);

/// Reads a whole safetensors file. Throws Error(kInvalidInput) starting with "name: " unless it
/// is a model as described above, every size checked against the file before anything is
/// allocated: header length (at most 16 MiB), names, dtype F32 or F64 (one for all), shapes,
/// offsets without gap or overlap, total size, finite values, a finite mean and a deviation above 0
/// a feature if there are any. The header may name the tensors in
/// any order, but their data must lie in the order above.
[[nodiscard]] ModelFile decode_model(std::string_view bytes, const std::string& name);

}  // namespace gradmill::formats
