#include "formats/npz_file.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/error_of.h"
#include "formats/npy_array.h"
#include "formats/small_model.h"
#include "formats/zip_archive.h"
#include "ml/parameter_bytes.h"

namespace gradmill::formats {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ModelFile decode(std::string_view bytes) { return decode_npz(bytes, "m"); }

std::string refusal(const std::string& bytes) {
  std::string message = error_of([&] { return decode(bytes); });
  EXPECT_THAT(message, StartsWith("m: is not a model: "));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

ModelFile standardized_model() {
  ModelFile model = float_model();
  model.standardization = {{0.1, -1e300, 0}, {5e-324, 1.0 / 3, 1}};
  return model;
}

/// The files of an archive, to be put together anew.
class Files {
 public:
  explicit Files(const std::string& archive) {
    const ZipReader zip(archive, 200, "files:");
    for (std::size_t i = 0; i < zip.entries().size(); ++i) {
      files_.emplace_back(zip.entries()[i].name, zip.read(i));
    }
  }

  Files& put(const std::string& name, const std::string& bytes) {
    for (auto& [known, content] : files_) {
      if (known == name) {
        content = bytes;
        return *this;
      }
    }
    files_.emplace_back(name, bytes);
    return *this;
  }
  Files& put_array(const std::string& name,
                   const std::string& dtype,
                   const std::vector<std::uint64_t>& shape,
                   const std::string& data) {
    return put(name + ".npy", npy_header(dtype, shape) + data);
  }
  Files& remove(const std::string& name) {
    std::erase_if(files_, [&](const auto& file) { return file.first == name; });
    return *this;
  }

  std::string archive() const {
    std::vector<ZipContent> contents;
    contents.reserve(files_.size());
    for (const auto& [name, bytes] : files_) {
      contents.push_back({name, bytes, {}});
    }
    return write_zip(contents);
  }

 private:
  std::vector<std::pair<std::string, std::string>> files_;
};

Files files() { return Files(encode_npz(standardized_model())); }

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return ml::bytes_from<T>(values);
}

TEST(NpzFile, ComesBackAsItWas) {
  for (const ModelFile& model : {float_model(), double_model(), standardized_model()}) {
    const std::string bytes = encode_npz(model);
    const ModelFile back = decode(bytes);
    EXPECT_EQ(back.topology, model.topology);
    EXPECT_EQ(back.precision, model.precision);
    EXPECT_EQ(back.metadata, model.metadata);
    EXPECT_EQ(back.standardization, model.standardization);
    EXPECT_EQ(back.parameters, model.parameters);
    EXPECT_EQ(encode_npz(back), bytes);
    EXPECT_EQ(encode_model_header(back), encode_model_header(model));
  }
}

TEST(NpzFile, HoldsTheDeepestTopology) {
  ModelFile model;
  model.topology.units.assign(65, 1);
  model.parameters.assign(std::size_t{64} * 2 * sizeof(float), '\0');
  model.standardization = {{1}, {2}};
  model.metadata = {{"a", "b"}};
  EXPECT_EQ(decode(encode_npz(model)).topology, model.topology);
}

TEST(NpzFile, NeedsNothingButItsTensors) {
  const ModelFile back =
      decode(files().remove("metadata.npy").remove("mean.npy").remove("std.npy").archive());
  EXPECT_TRUE(back.metadata.empty());
  EXPECT_TRUE(back.standardization.empty());
  EXPECT_EQ(back.parameters, float_model().parameters);
  EXPECT_EQ(activation_of(back, "m"), std::nullopt);
}

TEST(NpzFile, MayNameItsArraysInAnyOrder) {
  const std::string bytes = encode_npz(float_model());
  const ZipReader zip(bytes, 10, "m:");
  const std::string first = zip.entries().front().name;
  const std::string moved = Files(bytes).remove(first).put(first, zip.read(0)).archive();
  EXPECT_NE(moved, bytes);
  EXPECT_EQ(decode(moved).parameters, float_model().parameters);
}

TEST(NpzFile, MayHaveItsStandardizationInFloat) {
  const ModelFile back = decode(files()
                                    .put_array("mean", "<f4", {3}, bytes_of<float>({0.5F, -1, 0}))
                                    .put_array("std", "<f4", {3}, bytes_of<float>({1, 2, 0.25F}))
                                    .archive());
  EXPECT_EQ(back.standardization, (ml::Standardization{{0.5, -1, 0}, {1, 2, 0.25}}));
}

TEST(NpzFile, MayHaveItsMetadataInOtherTexts) {
  const std::string wide = std::string("{\0\0\0}\0\0\0\0\0\0\0", 12);
  EXPECT_TRUE(decode(files().put_array("metadata", "<U3", {1}, wide).archive()).metadata.empty());
  EXPECT_EQ(decode(files().put_array("metadata", "|S9", {}, "{\"a\":\"b\"}").archive()).metadata,
            (std::map<std::string, std::string>{{"a", "b"}}));
}

TEST(NpzFile, IsRefusedCutAnywhereOrWithMore) {
  const std::string bytes = encode_npz(standardized_model());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut(bytes, 0, size);
    EXPECT_THROW(static_cast<void>(decode(cut)), Error) << size;
  }
  EXPECT_THROW(static_cast<void>(decode(bytes + '\0')), Error);
  EXPECT_THAT(refusal(""), EndsWith("it is no whole zip archive"));
}

TEST(NpzFile, KeepsItsParametersWhateverByteChanges) {
  const ModelFile model = standardized_model();
  const std::string bytes = encode_npz(model);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 1; bit < 256; bit *= 2) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ bit);
      try {
        const ModelFile back = decode(changed);
        EXPECT_EQ(back.parameters, model.parameters) << at;
        EXPECT_EQ(back.standardization, model.standardization) << at;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      }
    }
  }
}

TEST(NpzFile, IsRefusedWithACompressedOrEncryptedArray) {
  // The method is in the local and in the central header of the first entry.
  std::string bytes = encode_npz(float_model());
  const std::size_t central = bytes.find("PK\1\2");
  bytes[8] = 8;
  bytes[central + 10] = 8;
  EXPECT_THAT(refusal(bytes),
              EndsWith("'layers.0.weight.npy' is compressed; numpy.savez writes what can be read"));
  bytes = encode_npz(float_model());
  bytes[6] |= 1;
  bytes[central + 8] |= 1;
  EXPECT_THAT(refusal(bytes), EndsWith("'layers.0.weight.npy' is encrypted"));
}

TEST(NpzFile, IsRefusedWithSizesBeyondTheFile) {
  std::string bytes = encode_npz(float_model());
  const std::size_t central = bytes.find("PK\1\2");
  for (const std::size_t at : {std::size_t{18}, std::size_t{22}, central + 20, central + 24}) {
    bytes.replace(at, 4, "\xF0\xFF\xFF\x7F");
  }
  EXPECT_THROW(static_cast<void>(decode(bytes)), Error);
  // Not consistent with the data after it, and more than the file: whichever is seen first.
  EXPECT_THAT(refusal(bytes), testing::AnyOf(HasSubstr("no whole zip"), HasSubstr("more than")));
}

TEST(NpzFile, IsRefusedWithAnArrayTwice) {
  std::string bytes = Files(encode_npz(float_model())).put("layers.1.bias.npX", "").archive();
  for (std::size_t at = 0; (at = bytes.find(".npX", at)) != std::string::npos;) {
    bytes[at + 3] = 'y';
  }
  EXPECT_THAT(refusal(bytes), EndsWith("it has 'layers.1.bias.npy' twice"));
}

TEST(NpzFile, IsRefusedWithTooManyArrays) {
  Files many = files();
  for (int i = 0; i < 132; ++i) {
    many.put(std::to_string(i), "");
  }
  EXPECT_THAT(refusal(many.archive()), EndsWith("it has 139 arrays; at most 131 are allowed"));
}

TEST(NpzFile, IsRefusedWithArraysOfOtherNames) {
  const std::string array = npy_header("<f4", {0});
  EXPECT_THAT(refusal(files().put("labels.npy", array).archive()),
              HasSubstr("'labels' is no tensor of a model; layers.N.weight"));
  EXPECT_THAT(refusal(files().put("layers.64.bias.npy", array).archive()),
              HasSubstr("'layers.64.bias' is no tensor"));
  EXPECT_THAT(refusal(files().put("../\n.npy", array).archive()), HasSubstr("'../\\n' is no"));
  EXPECT_THAT(refusal(files().put("mean", array).archive()), EndsWith("'mean' is no .npy file"));
}

TEST(NpzFile, IsRefusedWithATensorMissing) {
  EXPECT_THAT(refusal(files().remove("layers.0.bias.npy").archive()),
              EndsWith("layers.0.bias is missing"));
  EXPECT_THAT(refusal(files().remove("layers.1.weight.npy").archive()),
              EndsWith("layers.1.weight is missing"));
  EXPECT_THAT(refusal(write_zip({{"metadata.npy", npy_header("|S2", {}) + "{}", {}}})),
              HasSubstr("it has no layers"));
}

TEST(NpzFile, IsRefusedWithATensorOfTheWrongKind) {
  const std::string zeros(64, '\0');
  const auto with_bias =
      [&](const std::string& dtype, const std::vector<std::uint64_t>& shape, std::size_t bytes) {
        return refusal(
            files().put_array("layers.1.bias", dtype, shape, zeros.substr(0, bytes)).archive());
      };
  for (const std::string dtype : {">f4", "<f2", "<i4", "|O", "<c8", "|V4", "f4"}) {
    EXPECT_THAT(with_bias(dtype, {4}, 16),
                EndsWith("layers.1.bias has dtype '" + dtype + "'; <f4 and <f8 are supported"));
  }
  EXPECT_THAT(with_bias("<f8", {4}, 32), HasSubstr("layers.1.bias has another dtype than"));
  EXPECT_THAT(with_bias("<f4", {4, 1}, 16), EndsWith("layers.1.bias needs shape [out]"));
  EXPECT_THAT(with_bias("<f4", {}, 4), EndsWith("layers.1.bias needs shape [out]"));
  EXPECT_THAT(with_bias("<f4", {5}, 20), HasSubstr("layers.1.bias does not fit the shape of"));
  EXPECT_THAT(with_bias("<f4", {0}, 0), HasSubstr("layers.1.bias has 0 in its shape"));
  EXPECT_THAT(with_bias("<f4", {std::uint64_t{1} << 62U}, 0), HasSubstr("in its shape; 1 to"));
  EXPECT_THAT(with_bias("<f4", {4}, 12),
              EndsWith("layers.1.bias has 12 bytes of data; its shape asks for 16"));
  EXPECT_THAT(refusal(files().put("layers.1.bias.npy", "PK").archive()),
              EndsWith("layers.1.bias is no NumPy array"));
  std::string fortran = npy_header("<f4", {2, 3}) + std::string(24, '\0');
  fortran.replace(fortran.find("False, "), 7, "True,  ");
  EXPECT_THAT(refusal(files().put("layers.0.weight.npy", fortran).archive()),
              HasSubstr("layers.0.weight is in Fortran order"));
}

TEST(NpzFile, IsRefusedWithMoreParametersThanAllowed) {
  EXPECT_THAT(refusal(files().put_array("layers.0.weight", "<f4", {65'536, 65'536}, "").archive()),
              EndsWith("layers.0.weight has 0 bytes of data; its shape asks for 17179869184"));
}

TEST(NpzFile, IsRefusedWithANumberThatIsNotFinite) {
  for (const float wrong : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(
        refusal(files()
                    .put_array("layers.1.bias", "<f4", {4}, bytes_of<float>({0, 1, wrong, 3}))
                    .archive()),
        EndsWith("layers.1.bias is not finite at 2"));
    EXPECT_THAT(
        refusal(files().put_array("mean", "<f8", {3}, bytes_of<double>({0, wrong, 1})).archive()),
        EndsWith("mean is not finite at 1"));
  }
}

TEST(NpzFile, IsRefusedWithAStandardizationThatDoesNotFit) {
  EXPECT_THAT(refusal(files().remove("std.npy").archive()),
              EndsWith("mean and std do not have the same shape, or one is missing"));
  const std::string two = bytes_of<double>({1, 2});
  EXPECT_THAT(
      refusal(
          files().put_array("mean", "<f8", {2}, two).put_array("std", "<f8", {2}, two).archive()),
      EndsWith("mean and std need shape (3,)"));
  EXPECT_THAT(refusal(files().put_array("std", "<f8", {3}, bytes_of<double>({1, 0, 1})).archive()),
              EndsWith("a deviation of its standardization is not above 0"));
  EXPECT_THAT(refusal(files().put_array("std", "<i8", {3}, bytes_of<double>({1, 1, 1})).archive()),
              HasSubstr("std has dtype '<i8'"));
}

TEST(NpzFile, IsRefusedWithMetadataThatIsNoText) {
  const auto with = [](const std::string& dtype,
                       const std::vector<std::uint64_t>& shape,
                       const std::string& data) {
    return refusal(files().put_array("metadata", dtype, shape, data).archive());
  };
  EXPECT_THAT(with("|S2", {}, "[]"), EndsWith("metadata is not JSON"));
  EXPECT_THAT(with("|S7", {}, "{\"a\":1}"), EndsWith("metadata 'a' is no string"));
  EXPECT_THAT(with("|S16", {}, "{\"a\":\"\",\"a\":\"b\"}"), EndsWith("metadata has 'a' twice"));
  EXPECT_THAT(with("|S3", {}, "{}"), HasSubstr("metadata is not one text"));
  EXPECT_THAT(with("|S1", {2}, "{}"), HasSubstr("metadata is not one text"));
  EXPECT_THAT(with("|O", {}, "{}"), HasSubstr("metadata is not one text"));
  EXPECT_THAT(with("<U0", {}, "{}"), HasSubstr("metadata is not one text"));
  EXPECT_THAT(with("|S2", {}, "{\xFF"), HasSubstr("characters beyond ASCII"));
  EXPECT_THAT(with("<U1", {}, std::string("{\1\0\0", 4)), HasSubstr("characters beyond ASCII"));
}

TEST(NpzFile, LeavesTheStandardizationToItsArrays) {
  const std::string text = R"({"standardization_mean":"[0]"})";
  EXPECT_THAT(
      refusal(
          files().put_array("metadata", "|S" + std::to_string(text.size()), {}, text).archive()),
      EndsWith("metadata has standardization_mean; the arrays mean and std say it"));
}

TEST(NpzFile, IsNotWrittenWithMetadataThatNobodyCouldRead) {
  ModelFile model = float_model();
  model.metadata["a"] = "\xFF";
  EXPECT_EQ(error_of([&] { return encode_npz(model); }), "the metadata of the model is not UTF-8");
}

TEST(NpzFile, OfALaterFormatIsRefused) {
  ModelFile model = standardized_model();
  model.metadata = {{"format", "gradmill 2"}};
  EXPECT_THAT(refusal(encode_npz(model)), testing::HasSubstr("its format is 'gradmill 2'"));
}

}  // namespace
}  // namespace gradmill::formats
