// The input is a model file. What is accepted is the same after writing and reading it.
#include "base/error.h"
#include "formats/model_file.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradmill;
  try {
    const formats::ModelFile model = formats::decode_model(fuzz::text_of(data, size), "model");
    const std::string bytes = formats::encode_model_header(model) + model.parameters;
    const formats::ModelFile again = formats::decode_model(bytes, "model");
    GRADMILL_CHECK(again.topology.units == model.topology.units);
    GRADMILL_CHECK(again.precision == model.precision);
    GRADMILL_CHECK(again.standardization == model.standardization);
    GRADMILL_CHECK(again.metadata == model.metadata);
    GRADMILL_CHECK(again.parameters == model.parameters);
  } catch (const Error& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
