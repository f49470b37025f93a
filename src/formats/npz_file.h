// A model as NumPy's .npz: a zip archive of arrays, which numpy.load opens without pickle. Arrays
// `layers.N.weight` [out, in] and `layers.N.bias` [out], <f4 or <f8; for standardized features also
// `mean` and `std` [features], <f8; and `metadata`, a scalar text: a JSON object of strings, those
// of ModelFile::metadata.
#pragma once

#include <string>
#include <string_view>

#include "formats/model_file.h"

namespace gradmill::formats {

/// The whole file; the same bytes for the same model. Throws Error(kInvalidInput) if the metadata
/// is not UTF-8.
[[nodiscard]] std::string encode_npz(const ModelFile& model);

/// Reads a whole file, by NumPy or by encode_npz(). `metadata`, or `mean` and `std` together, may
/// be missing: a model that does not say its activation is for the caller to judge. Throws
/// Error(kInvalidInput) starting with "name: " unless it is a model as above, every size checked
/// against the file before anything is allocated: stored entries of different names, .npy headers,
/// little-endian elements in C order, one dtype for all tensors, shapes that fit each other and
/// their data, finite values, deviations above 0.
[[nodiscard]] ModelFile decode_npz(std::string_view bytes, const std::string& name);

}  // namespace gradmill::formats
