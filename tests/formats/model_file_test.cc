#include "formats/model_file.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/error_of.h"
#include "formats/small_model.h"

namespace gradmill::formats {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string number_bytes(std::uint64_t value) {
  std::string bytes(sizeof value, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * i));
  }
  return bytes;
}

/// A file of this header and data, whatever they are.
std::string file_of(const std::string& header, const std::string& data) {
  return number_bytes(header.size()) + header + data;
}

std::string encode(const ModelFile& model) { return encode_model_header(model) + model.parameters; }

ModelFile decode(std::string_view bytes) { return decode_model(bytes, "m"); }

std::string refusal(const std::string& bytes) {
  std::string message = error_of([&] { return decode(bytes); });
  EXPECT_THAT(message, StartsWith("m: is not a model: "));
  return message;
}

/// The header of a model {2, 1} with `from` replaced by `to`, over 12 zero bytes of data.
std::string tiny_with(std::string_view from, std::string_view to) {
  std::string header = R"({"layers.0.bias":{"data_offsets":[8,12],"dtype":"F32","shape":[1]},)"
                       R"("layers.0.weight":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}})";
  const std::size_t at = header.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  header.replace(at, from.size(), to);
  return file_of(header, std::string(12, '\0'));
}

TEST(ModelFile, HasTheBytesOfItsFormat) {
  ModelFile model;
  model.topology.units = {2, 1};
  model.metadata = {{"round", "3"}};
  model.parameters = std::string("\0\0\x80\x3F\0\0\0\x40\0\0\x80\xBF", 12);
  const std::string json =
      R"({"__metadata__":{"round":"3"},)"
      R"("layers.0.bias":{"data_offsets":[8,12],"dtype":"F32","shape":[1]},)"
      R"("layers.0.weight":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}})";
  ASSERT_EQ(json.size(), 165);
  EXPECT_EQ(encode_model_header(model), std::string("\xA8\0\0\0\0\0\0\0", 8) + json + "   ");
}

// The header by hand, without the JSON library: what any other reader finds.
TEST(ModelFile, SaysWhereEachTensorLies) {
  const std::string bytes = encode(float_model());
  std::size_t length = 0;
  for (std::size_t i = 8; i-- > 0;) {
    length = length * 256 + static_cast<unsigned char>(bytes[i]);
  }
  EXPECT_EQ(length % 8, 0);
  EXPECT_EQ(bytes.size(), 8 + length + 80);
  const std::string header = bytes.substr(8, length);
  EXPECT_EQ(header.front(), '{');
  const auto tensor = [&](const std::string& name) {
    const std::size_t at = header.find("\"" + name + "\":{");
    EXPECT_NE(at, std::string::npos) << name;
    return header.substr(at, header.find('}', at) - at);
  };
  EXPECT_THAT(tensor("layers.0.weight"), HasSubstr(R"("data_offsets":[0,24])"));
  EXPECT_THAT(tensor("layers.0.weight"), EndsWith(R"("shape":[2,3])"));
  EXPECT_THAT(tensor("layers.0.bias"), HasSubstr(R"("data_offsets":[24,32])"));
  EXPECT_THAT(tensor("layers.0.bias"), EndsWith(R"("shape":[2])"));
  EXPECT_THAT(tensor("layers.1.weight"), HasSubstr(R"("data_offsets":[32,64])"));
  EXPECT_THAT(tensor("layers.1.weight"), EndsWith(R"("shape":[4,2])"));
  EXPECT_THAT(tensor("layers.1.bias"), HasSubstr(R"("data_offsets":[64,80])"));
  EXPECT_THAT(tensor("layers.1.bias"), HasSubstr(R"("dtype":"F32")"));
}

TEST(ModelFile, ComesBackAsItWas) {
  for (const ModelFile& model : {float_model(), double_model()}) {
    const ModelFile back = decode(encode(model));
    EXPECT_EQ(back.topology, model.topology);
    EXPECT_EQ(back.precision, model.precision);
    EXPECT_EQ(back.metadata, model.metadata);
    EXPECT_EQ(back.parameters, model.parameters);
    EXPECT_EQ(encode(back), encode(model));
  }
}

ModelFile standardized_model() {
  ModelFile model = float_model();
  model.standardization = {{0.1, -1e300, 0}, {5e-324, 1.0 / 3, 1}};
  return model;
}

TEST(ModelFile, OfALaterFormatIsRefused) {
  ModelFile model = float_model();
  for (const char* const format : {"gradmill 1", "pt"}) {
    model.metadata["format"] = format;
    EXPECT_EQ(decode(encode(model)).metadata, model.metadata);
  }
  model.metadata["format"] = "gradmill 2";
  EXPECT_THAT(refusal(encode(model)),
              EndsWith("its format is 'gradmill 2', and this release reads 'gradmill 1'"));
}

TEST(ModelFile, HoldsItsStandardizationToTheLastBit) {
  const ModelFile model = standardized_model();
  const ModelFile back = decode(encode(model));
  EXPECT_EQ(back.standardization, model.standardization);
  EXPECT_EQ(back.metadata, model.metadata);
  EXPECT_EQ(encode(back), encode(model));
  EXPECT_THAT(encode(model), HasSubstr(R"("standardization_mean":"[0.1,-1e+300,0.0]")"));
  EXPECT_TRUE(decode(encode(float_model())).standardization.empty());
}

TEST(ModelFile, HoldsTheStandardizationOfTheMostFeatures) {
  ModelFile model;
  model.topology.units = {65'536, 1};
  model.parameters.assign(std::size_t{65'537} * sizeof(float), '\0');
  model.standardization = {std::vector<double>(65'536, -1.2345678901234567e-300),
                           std::vector<double>(65'536, 1.2345678901234567e-300)};
  EXPECT_EQ(decode(encode(model)).standardization, model.standardization);
}

TEST(ModelFile, ReadsALooserListThanItWrites) {
  ModelFile model = float_model();
  model.metadata["standardization_mean"] = " [0, -1 ,2E0]\n";
  model.metadata["standardization_deviation"] = "[1,2,3]";
  EXPECT_EQ(decode(encode(model)).standardization, (ml::Standardization{{0, -1, 2}, {1, 2, 3}}));
}

TEST(ModelFile, IsRefusedWithAStandardizationThatDoesNotFit) {
  for (const std::string list : {"",
                                 "null",
                                 "1,2,3",
                                 "[]",
                                 "[1,2]",
                                 "[1,2,3,4]",
                                 "[1,2,]",
                                 "[1,2,3",
                                 "[1,2,3]]",
                                 "[1,2,3]x",
                                 "[1,2,nan]",
                                 "[1,2,1e999]",
                                 "[1,2,\"3\"]",
                                 "[1,2,null]",
                                 "[1,2,true]",
                                 "[1,[2,3]]",
                                 "{\"a\":1,\"b\":2,\"c\":3}"}) {
    for (const std::string key : {"standardization_mean", "standardization_deviation"}) {
      ModelFile model = float_model();
      model.metadata["standardization_mean"] = "[1,2,3]";
      model.metadata["standardization_deviation"] = "[1,2,3]";
      model.metadata[key] = list;
      EXPECT_THAT(refusal(encode(model)),
                  EndsWith("its metadata '" + key + "' is no list of 3 finite numbers"))
          << list;
    }
  }
  ModelFile model = float_model();
  model.metadata["standardization_mean"] = "[1,2,3]";
  EXPECT_THAT(refusal(encode(model)), HasSubstr("it has only one of standardization_mean and"));
  for (const char* const deviation : {"[1,0,1]", "[1,-0.0,1]", "[1,1,-1]", "[1e-400,1,1]"}) {
    model.metadata["standardization_deviation"] = deviation;
    EXPECT_THAT(refusal(encode(model)),
                EndsWith("a deviation of its standardization is not above 0"))
        << deviation;
  }
  model.metadata["standardization_deviation"] = std::string(1'000'000, '[') + ",,";
  EXPECT_THAT(refusal(encode(model)), HasSubstr("is no list of 3 finite numbers"));
}

TEST(ModelFile, KnowsItsActivation) {
  ModelFile model = float_model();
  EXPECT_EQ(activation_of(model, "m"), ml::Activation::kRelu);
  model.metadata["activation"] = "ml-py";
  EXPECT_EQ(activation_of(model, "m"), ml::Activation::kMlPy);
  model.metadata["activation"] = "Relu\n";
  EXPECT_EQ(error_of([&] { return activation_of(model, "m"); }),
            "m: is not a model: its activation 'Relu\\n' is not known");
  model.metadata.erase("activation");
  EXPECT_EQ(activation_of(model, "m"), std::nullopt);
}

TEST(ModelFile, HoldsTheDeepestTopology) {
  ModelFile model;
  model.topology.units.assign(65, 1);
  model.parameters.assign(std::size_t{64} * 2 * sizeof(float), '\0');
  EXPECT_EQ(decode(encode(model)).topology, model.topology);
}

TEST(ModelFile, IsRefusedCutAnywhereOrWithMore) {
  for (const std::string& bytes : {encode(float_model()), encode(double_model())}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own, so that a sanitizer sees any read past the end.
      const std::string cut(bytes, 0, size);
      EXPECT_THROW(static_cast<void>(decode(cut)), Error) << size;
    }
    EXPECT_THROW(static_cast<void>(decode(bytes + '\0')), Error);
  }
}

TEST(ModelFile, KeepsItsParametersWhateverHeaderByteChanges) {
  const ModelFile model = float_model();
  const std::string bytes = encode(model);
  const std::size_t header_bytes = bytes.size() - model.parameters.size();
  std::size_t accepted = 0;
  const auto try_with = [&](std::size_t at, char byte) {
    std::string changed = bytes;
    changed[at] = byte;
    try {
      const ModelFile back = decode(changed);
      ++accepted;
      EXPECT_EQ(back.topology, model.topology) << at << ' ' << byte;
      EXPECT_EQ(back.precision, model.precision) << at << ' ' << byte;
      EXPECT_EQ(back.parameters, model.parameters) << at << ' ' << byte;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    }
  };
  for (std::size_t at = 0; at < header_bytes; ++at) {
    for (unsigned bit = 1; bit < 256; bit *= 2) {
      try_with(at, static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ bit));
    }
    // What could make other valid JSON.
    for (const char byte : std::string_view("0123456789\"{}[],:.-+eE \\\n\0\xFF", 27)) {
      try_with(at, byte);
    }
  }
  // Other text in the metadata, other white space in the padding.
  EXPECT_GT(accepted, 0);
}

TEST(ModelFile, MayNameItsTensorsInAnyOrder) {
  EXPECT_EQ(
      decode(file_of(R"({"layers.0.weight":{"shape":[1,2],"dtype":"F32","data_offsets":[0,8]},)"
                     R"( "layers.0.bias":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}})",
                     std::string(12, '\0')))
          .topology.units.size(),
      2);
}

TEST(ModelFile, IsRefusedWithItsDataInAnotherOrder) {
  const std::string header =
      R"({"layers.0.bias":{"data_offsets":[0,4],"dtype":"F32","shape":[1]},)"
      R"("layers.0.weight":{"data_offsets":[4,12],"dtype":"F32","shape":[1,2]}})";
  EXPECT_THAT(refusal(file_of(header, std::string(12, '\0'))),
              HasSubstr("the order of the tensors in its data section is not supported"));
}

TEST(ModelFile, IsRefusedWithAHeaderThatIsTooLong) {
  EXPECT_THAT(refusal(""), EndsWith("it has only 0 bytes"));
  EXPECT_THAT(refusal(number_bytes(1)),
              HasSubstr("its header would have 1 of its 8 bytes: it is cut off, too large, or no"));
  EXPECT_THAT(refusal(number_bytes(UINT64_MAX) + "{}"),
              HasSubstr("its header would have 18446744073709551615 of its 10 bytes"));
  const std::size_t too_long = (std::size_t{16} << 20U) + 1;
  EXPECT_THAT(refusal(file_of("{}" + std::string(too_long - 2, ' '), "")),
              HasSubstr("its header would have 16777217 of its 16777225 bytes"));
}

TEST(ModelFile, IsRefusedWithAHeaderThatIsNoJson) {
  for (const std::string& header : {std::string(""),
                                    std::string("{"),
                                    std::string(" {}"),
                                    std::string("[]"),
                                    std::string("{}x"),
                                    std::string("{}\0", 3),
                                    std::string("{}\0{}", 5),
                                    std::string("{\"a\":1e999}"),
                                    std::string("{\"\xFF\":1}"),
                                    std::string("{\"a\":NaN}"),
                                    std::string("{/**/}"),
                                    std::string("{\"a\":\"\n\"}")}) {
    EXPECT_THAT(refusal(file_of(header, "")), HasSubstr("header is not JSON")) << header;
  }
}

TEST(ModelFile, IsRefusedWithAKeyTwice) {
  EXPECT_THAT(refusal(file_of(R"({"a":1,"a":1})", "")), EndsWith("its header has 'a' twice"));
  EXPECT_THAT(refusal(tiny_with(R"("dtype")", R"("\u0064type":"F32","dtype")")),
              EndsWith("its header has 'dtype' twice"));
  EXPECT_THAT(refusal(file_of(R"({"__metadata__":{"a":"1","b":"","a":"1"}})", "")),
              EndsWith("its header has 'a' twice"));
}

TEST(ModelFile, IsRefusedWithADeepOrDenseHeader) {
  EXPECT_THAT(refusal(file_of("{\"a\":" + std::string(1'000'000, '['), "")),
              EndsWith("nested too deeply"));
  std::string nested;
  for (int i = 0; i < 100'000; ++i) {
    nested += "{\"a\":";
  }
  EXPECT_THAT(refusal(file_of(nested, "")), EndsWith("nested too deeply"));
  std::string dense = "{\"a\":[0";
  for (int i = 0; i < 1'000'000; ++i) {
    dense += ",0";
  }
  EXPECT_THAT(refusal(file_of(dense + "]}", "")), EndsWith("too many values"));
}

TEST(ModelFile, IsRefusedWithMetadataThatIsNoText) {
  EXPECT_THAT(refusal(tiny_with("{", R"({"__metadata__":null,)")), EndsWith("is no object"));
  EXPECT_THAT(refusal(tiny_with("{", R"({"__metadata__":{"a":1},)")),
              EndsWith("its metadata 'a' is no string"));
}

TEST(ModelFile, IsRefusedWithTensorsOfOtherNames) {
  for (const std::string name : {"",
                                 "weight",
                                 "layers.0",
                                 "layers..bias",
                                 "layers.00.bias",
                                 "layers.-1.bias",
                                 "layers.64.bias",
                                 "layers.0.biases",
                                 "layers.",
                                 "layers.bias",
                                 "layers.99999999999999999999.bias",
                                 "Layers.0.bias"}) {
    EXPECT_THAT(refusal(tiny_with("layers.0.bias", name)),
                HasSubstr("'" + name + "' is no tensor of a model"));
  }
}

TEST(ModelFile, IsRefusedWithATensorMissing) {
  EXPECT_THAT(refusal(tiny_with("layers.0.bias", "layers.1.bias")),
              EndsWith("layers.0.bias is missing"));
  EXPECT_THAT(refusal(tiny_with("layers.0.weight", "layers.1.weight")),
              EndsWith("layers.0.weight is missing"));
  EXPECT_THAT(refusal(file_of("{}", "")), HasSubstr("it has no layers"));
  EXPECT_THAT(
      refusal(file_of(R"({"layers.0.weight":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}})",
                      std::string(8, '\0'))),
      EndsWith("layers.0.bias is missing"));
}

TEST(ModelFile, IsRefusedWithATensorOfTheWrongKind) {
  EXPECT_THAT(refusal(tiny_with("F32", "F16")),
              EndsWith("layers.0.bias has dtype 'F16'; F32 and F64 are supported"));
  EXPECT_THAT(refusal(tiny_with("F32", "F64")), HasSubstr("has another dtype than"));
  EXPECT_THAT(refusal(tiny_with("[1]", "[1],\"more\":0")), HasSubstr("and nothing else"));
  EXPECT_THAT(refusal(tiny_with("\"dtype\":\"F32\",", "")), HasSubstr("needs dtype"));
  EXPECT_THAT(refusal(tiny_with("\"F32\"", "32")), HasSubstr("needs dtype"));
  EXPECT_THAT(refusal(file_of(R"({"layers.0.bias":[]})", "")), HasSubstr("needs dtype"));
  EXPECT_THAT(refusal(file_of(R"({"layers.0.bias":1})", "")), HasSubstr("needs dtype"));
}

TEST(ModelFile, IsRefusedWithShapesThatDoNotFit) {
  for (const char* shape : {"[1,1]",
                            "[]",
                            "1",
                            "\"1\"",
                            "[-1]",
                            "[1.0]",
                            "[true]",
                            "[1e3]",
                            "[18446744073709551616]"}) {
    EXPECT_THAT(refusal(tiny_with("[1]", shape)), EndsWith("layers.0.bias needs shape [out]"));
  }
  EXPECT_THAT(refusal(tiny_with("[1]", "[2]")),
              EndsWith("layers.0.bias does not fit the shape of layers.0.weight"));
  for (const char* shape : {"[0,2]",
                            "[1,0]",
                            "[65537,1]",
                            "[4294967296,4294967296]",
                            "[18446744073709551615,18446744073709551615]"}) {
    EXPECT_THAT(refusal(tiny_with("[1,2]", shape)), EndsWith("1 to 65536 are allowed"));
  }
  EXPECT_THAT(refusal(tiny_with("[1,2]", "[1,3]")),
              EndsWith("data_offsets of layers.0.weight do not fit its shape"));
  ModelFile model = float_model();
  std::string chained = encode(model);
  chained.replace(chained.find("[4,2]"), 5, "[2,4]");
  EXPECT_THAT(refusal(chained),
              EndsWith("layers.1.weight does not fit the shape of layers.0.bias"));
}

TEST(ModelFile, IsRefusedWithMoreParametersThanAllowed) {
  const std::string header =
      R"({"layers.0.bias":{"data_offsets":[17179869184,17180131328],"dtype":"F32","shape":[65536]},)"
      R"("layers.0.weight":{"data_offsets":[0,17179869184],"dtype":"F32","shape":[65536,65536]}})";
  EXPECT_THAT(refusal(file_of(header, "")), EndsWith("or more than 100000000 parameters"));
}

TEST(ModelFile, IsRefusedWithOffsetsThatDoNotFit) {
  for (const char* offsets : {"[8]", "[8,12,16]", "[8.0,12]", "[-4,0]", "{}", "[8,null]"}) {
    EXPECT_THAT(refusal(tiny_with("[8,12]", offsets)),
                EndsWith("layers.0.bias needs data_offsets [begin, end]"));
  }
  for (const char* offsets :
       {"[12,8]", "[8,16]", "[8,8]", "[0,18446744073709551615]", "[18446744073709551615,3]"}) {
    EXPECT_THAT(refusal(tiny_with("[8,12]", offsets)),
                EndsWith("data_offsets of layers.0.bias do not fit its shape"));
  }
  for (const char* offsets :
       {"[4,8]", "[0,4]", "[9,13]", "[18446744073709551611,18446744073709551615]"}) {
    EXPECT_THAT(refusal(tiny_with("[8,12]", offsets)), HasSubstr("a gap or an overlap"));
  }
  EXPECT_THAT(refusal(tiny_with("{", "{") + "more"),
              EndsWith("its data section has 16 bytes; its header asks for 12"));
}

TEST(ModelFile, IsRefusedWithAParameterThatIsNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    ModelFile model = float_model();
    std::memcpy(&model.parameters[19 * sizeof value], &value, sizeof value);
    EXPECT_THAT(refusal(encode(model)), EndsWith("parameter 19 is not finite"));
  }
  for (const double value :
       {std::numeric_limits<double>::signaling_NaN(), std::numeric_limits<double>::infinity()}) {
    ModelFile model = double_model();
    std::memcpy(&model.parameters[3 * sizeof value], &value, sizeof value);
    EXPECT_THAT(refusal(encode(model)), EndsWith("parameter 3 is not finite"));
  }
}

TEST(ModelFile, IsNotWrittenWithMetadataThatNobodyCouldRead) {
  ModelFile model = float_model();
  model.metadata["name"] = "\xFF";
  EXPECT_EQ(error_of([&] { return encode_model_header(model); }),
            "the metadata of the model is not UTF-8");
  model.metadata["name"] = std::string(std::size_t{16} << 20U, 'x');
  EXPECT_EQ(error_of([&] { return encode_model_header(model); }),
            "the metadata of the model is too large");
}

}  // namespace
}  // namespace gradmill::formats
