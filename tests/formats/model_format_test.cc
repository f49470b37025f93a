#include "formats/model_format.h"

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/durable_file.h"
#include "formats/error_of.h"
#include "formats/small_model.h"

namespace gradmill::formats {
namespace {

using testing::StartsWith;

class ModelFormatTest : public testing::Test {
 protected:
  ModelFormatTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ModelFormatTest() override { std::filesystem::remove_all(folder_); }
  ModelFormatTest(const ModelFormatTest&) = delete;
  ModelFormatTest& operator=(const ModelFormatTest&) = delete;

  std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

TEST_F(ModelFormatTest, IsNamedByTheEnding) {
  EXPECT_EQ(model_format_of("m.safetensors"), ModelFormat::kSafetensors);
  EXPECT_EQ(model_format_of("/a.onnx/m.npz"), ModelFormat::kNpz);
  EXPECT_EQ(model_format_of("m.npz.onnx"), ModelFormat::kOnnx);
  for (const std::string path : {"", "m", "npz", "m.npy", "m.npz/", "m.NPZ", "m.onnx.gz"}) {
    EXPECT_EQ(error_of([&] { return model_format_of(path); }),
              path + ": a model's file ends in .safetensors, .npz or .onnx");
  }
}

TEST_F(ModelFormatTest, HoldsTheSameModelInEachFormatThatIsRead) {
  for (const char* const name : {"m.safetensors", "m.npz"}) {
    write_model_file(path(name), double_model());
    const ModelFile back = read_model_file(path(name));
    EXPECT_EQ(back.topology, double_model().topology);
    EXPECT_EQ(back.metadata, double_model().metadata);
    EXPECT_EQ(back.parameters, double_model().parameters);
  }
}

TEST_F(ModelFormatTest, IsOnlyWrittenAsOnnx) {
  write_model_file(path("m.onnx"), float_model());
  EXPECT_FALSE(read_file(path("m.onnx"), 1 << 20).empty());
  EXPECT_EQ(error_of([&] { return read_model_file(path("m.onnx")); }),
            path("m.onnx") + ": ONNX is only written; .safetensors and .npz are read");
}

TEST_F(ModelFormatTest, NamesTheFileThatIsWrong) {
  ModelFile model = float_model();
  model.metadata.clear();
  EXPECT_EQ(error_of([&] { return write_model_file(path("m.onnx"), model), 0; }),
            path("m.onnx") +
                " cannot be written: the model does not say its activation, which ONNX needs");
  EXPECT_FALSE(std::filesystem::exists(path("m.onnx")));
  write_model_file(path("m.safetensors"), model);
  std::filesystem::rename(path("m.safetensors"), path("m.npz"));
  EXPECT_THAT(error_of([&] { return read_model_file(path("m.npz")); }),
              StartsWith(path("m.npz") + ": is not a model: "));
}

}  // namespace
}  // namespace gradmill::formats
