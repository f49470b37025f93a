// The first byte chooses: the rest is a .npz file, or arrays for one, each a byte for its name, two
// for its size, and its bytes. Of a file alone, checksums would hide the arrays.
// What is accepted is the same after writing and reading it.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/npz_file.h"
#include "formats/zip_archive.h"
#include "fuzz/target.h"

namespace gradmill::fuzz {
namespace {

constexpr std::array<const char*, 8> kNames = {"layers.0.weight.npy",
                                               "layers.0.bias.npy",
                                               "layers.1.weight.npy",
                                               "layers.1.bias.npy",
                                               "mean.npy",
                                               "std.npy",
                                               "metadata.npy",
                                               "layers.2.weight.npy"};

std::string archive_of(std::string_view input) {
  std::vector<formats::ZipContent> contents;
  std::array<bool, kNames.size()> seen{};
  while (!input.empty()) {
    const std::size_t name = take_byte(input) % kNames.size();
    const std::size_t low = take_byte(input);
    const std::size_t size = std::min(low + 256U * take_byte(input), input.size());
    if (!seen.at(name)) {  // libzip writes no name twice.
      contents.push_back({kNames.at(name), {}, input.substr(0, size)});
    }
    seen.at(name) = true;
    input.remove_prefix(size);
  }
  return formats::write_zip(contents);
}

void read(std::string_view bytes) {
  try {
    const formats::ModelFile model = formats::decode_npz(bytes, "model");
    const formats::ModelFile again = formats::decode_npz(formats::encode_npz(model), "model");
    GRADMILL_CHECK(again.topology == model.topology);
    GRADMILL_CHECK(again.precision == model.precision);
    GRADMILL_CHECK(again.standardization == model.standardization);
    GRADMILL_CHECK(again.metadata == model.metadata);
    GRADMILL_CHECK(again.parameters == model.parameters);
  } catch (const Error& error) {
    check_message(error.what());
  }
}

}  // namespace
}  // namespace gradmill::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradmill::fuzz;
  std::string_view input = text_of(data, size);
  if (take_byte(input) % 2 == 0) {
    read(input);
  } else if (!input.empty()) {
    read(archive_of(input));
  }
  return 0;
}
