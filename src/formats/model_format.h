// Model files, their format by their ending: .safetensors, .npz, or .onnx, which is only written.
#pragma once

#include <string>

#include "formats/model_file.h"

namespace gradmill::formats {

enum class ModelFormat { kSafetensors, kNpz, kOnnx };

/// The format that the ending of `path` names. Throws Error(kInvalidInput) naming `path` and the
/// endings if it is none of them.
[[nodiscard]] ModelFormat model_format_of(const std::string& path);

/// Writes `model` to `path`, whole or not at all. Throws Error(kInvalidInput) naming `path`.
void write_model_file(const std::string& path, const ModelFile& model);

/// The model in `path`, of at most 1 GiB. Throws Error(kInvalidInput) naming `path`.
[[nodiscard]] ModelFile read_model_file(const std::string& path);

}  // namespace gradmill::formats
