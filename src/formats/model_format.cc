#include "formats/model_format.h"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "base/durable_file.h"
#include "base/error.h"
#include "formats/npz_file.h"
#include "formats/onnx_file.h"

namespace gradmill::formats {
namespace {

constexpr std::size_t kModelBytesMax = std::size_t{1} << 30U;

constexpr std::array<std::pair<std::string_view, ModelFormat>, 3> kEndings = {{
    {".safetensors", ModelFormat::kSafetensors},
    {".npz", ModelFormat::kNpz},
    {".onnx", ModelFormat::kOnnx},
}};

/// What goes before `model.parameters` in its file, or the whole file.
struct Encoded {
  std::string bytes;
  bool whole = true;
};

Encoded encoded(const ModelFile& model, ModelFormat format) {
  switch (format) {
    case ModelFormat::kNpz:
      return {encode_npz(model)};
    case ModelFormat::kOnnx:
      return {encode_onnx(model)};
    case ModelFormat::kSafetensors:
      break;
  }
  return {.bytes = encode_model_header(model), .whole = false};
}

}  // namespace

ModelFormat model_format_of(const std::string& path) {
  for (const auto& [ending, format] : kEndings) {
    if (path.ends_with(ending)) {
      return format;
    }
  }
  throw invalid_input(path + ": a model's file ends in .safetensors, .npz or .onnx");
}

void write_model_file(const std::string& path, const ModelFile& model) {
  const ModelFormat format = model_format_of(path);
  Encoded file;
  try {
    file = encoded(model, format);
  } catch (const Error& error) {
    throw invalid_input(path + " cannot be written: " + error.what());
  }
  const std::array<std::string_view, 2> parts = {file.bytes, model.parameters};
  write_file_durably(path, std::span(parts).first(file.whole ? 1 : 2));
}

ModelFile read_model_file(const std::string& path) {
  const ModelFormat format = model_format_of(path);
  if (format == ModelFormat::kOnnx) {
    throw invalid_input(path + ": ONNX is only written; .safetensors and .npz are read");
  }
  const std::string bytes = read_file(path, kModelBytesMax);
  return format == ModelFormat::kNpz ? decode_npz(bytes, path) : decode_model(bytes, path);
}

}  // namespace gradmill::formats
