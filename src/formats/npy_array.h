// One NumPy array as a .npy file: magic, version, a dict as Python writes it, then the elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradmill::formats {

/// An array as it was read; its elements are not looked at.
struct NpyArray {
  std::string bytes;                 ///< The whole file.
  std::size_t header_bytes = 0;      ///< Where the elements begin.
  std::string dtype;                 ///< As NumPy names it: "<f4".
  std::vector<std::uint64_t> shape;  ///< Empty for a scalar.

  [[nodiscard]] std::string_view data() const {
    return std::string_view(bytes).substr(header_bytes);
  }
};

/// The bytes before the elements of an array in C order, in version 1.0, padded to 64.
[[nodiscard]] std::string npy_header(const std::string& dtype,
                                     const std::vector<std::uint64_t>& shape);

/// Reads versions 1.0 to 3.0. Throws Error(kInvalidInput) starting with `what` ("m.npz: is not a
/// model: mean") for anything that NumPy would not write, a header of more than 10,000 bytes,
/// dtypes with fields, and Fortran order.
[[nodiscard]] NpyArray parse_npy(std::string bytes, const std::string& what);

/// Throws as above unless the elements, of `element_bytes` each, fill the file exactly.
void check_elements(const NpyArray& array, std::uint64_t element_bytes, const std::string& what);

}  // namespace gradmill::formats
