#include "client/report/model_output.h"

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/durable_file.h"
#include "base/error.h"
#include "formats/model_file.h"
#include "formats/model_format.h"

namespace gradmill::client {
namespace {

class ModelOutputTest : public testing::Test {
 protected:
  ModelOutputTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    specification_.rule.topology.units = {2, 4, 3, 2};
    specification_.rule.activation = ml::Activation::kTanh;
    specification_.rule.optimizer = ml::Optimizer::kMomentum;
    specification_.rule.eta = 0.1;
    specification_.rule.steps_per_round = 5;
    specification_.rule.batch_size = 16;
    specification_.rule.label_smoothing = 0.1;
    specification_.rule.schedule = ml::Schedule::kCosine;
    specification_.rule.seed = 9;
    specification_.rule.standardization = {{0.1, -2}, {1e-300, 3}};
    specification_.server = {ml::ServerOptimizer::kAdam, 0.01, 0.9};
    specification_.rounds = 7;
    specification_.shards = {{sha256("one"), 1}, {sha256("two"), 1}};
    job_.status.job = "j";
    job_.rounds.resize(2);
    job_.rounds[0].round = 1;
    job_.rounds[0].validation_error = 0.25;
    job_.rounds[1].round = 2;
    job_.rounds[1].validation_error = 0.5;
    weights_ = make_blob(std::string(std::size_t{35} * sizeof(float), '\0'));
  }
  ~ModelOutputTest() override { std::filesystem::remove_all(folder_); }
  ModelOutputTest(const ModelOutputTest&) = delete;
  ModelOutputTest& operator=(const ModelOutputTest&) = delete;

  std::string path() const { return (folder_ / "m.safetensors").string(); }

  std::filesystem::path folder_;
  JobSpecification specification_;
  FollowedJob job_;
  Blob weights_;
};

TEST_F(ModelOutputTest, SaysHowTheModelCameToBe) {
  write_model(path(), specification_, job_, weights_);
  const formats::ModelFile model = formats::decode_model(read_file(path(), 1 << 20), "m");
  EXPECT_EQ(model.topology, specification_.rule.topology);
  EXPECT_EQ(model.standardization, specification_.rule.standardization);
  EXPECT_EQ(model.parameters, *weights_.bytes);
  const std::map<std::string, std::string> expected = {
      {"format", "gradmill 1"},
      {"topology", "2-4-3-2"},
      {"activation", "tanh"},
      {"class_labels", "0,1"},
      {"job", "j"},
      {"round", "2"},
      {"optimizer", "momentum"},
      {"hyperparameters",
       "optimizer momentum, eta 0.1, steps-per-round 5, batch-size 16, momentum 0.9, "
       "weight-decay 0, label-smoothing 0.1, schedule cosine, server-optimizer adam, "
       "server-eta 0.01, server-momentum 0.9, rounds 7, early-stop 0"},
      {"seed", "9"},
      {"data_sha256", sha256(sha256("one").hex() + sha256("two").hex()).hex()},
      {"validation_error", "0.5"},
  };
  EXPECT_EQ(model.metadata, expected);
}

TEST_F(ModelOutputTest, HoldsTheBestRoundOfAJobThatStopsEarly) {
  job_.status.best_round = 1;
  write_model(path(), specification_, job_, weights_);
  const formats::ModelFile model = formats::decode_model(read_file(path(), 1 << 20), "m");
  EXPECT_EQ(model.metadata.at("round"), "1");
  EXPECT_EQ(model.metadata.at("validation_error"), "0.25");
}

TEST_F(ModelOutputTest, HasTheFormatOfItsEnding) {
  const std::string npz = (folder_ / "m.npz").string();
  write_model(npz, specification_, job_, weights_);
  write_model(path(), specification_, job_, weights_);
  const formats::ModelFile model = formats::read_model_file(npz);
  EXPECT_EQ(model.parameters, *weights_.bytes);
  EXPECT_EQ(model.metadata, formats::read_model_file(path()).metadata);
  EXPECT_EQ(read_initial_model(npz, specification_.rule).standardization,
            specification_.rule.standardization);
  specification_.rule.standardization = {};
  const std::string onnx = (folder_ / "m.onnx").string();
  write_model(onnx, specification_, job_, weights_);
  EXPECT_GT(std::filesystem::file_size(onnx), weights_.ref.bytes);
}

TEST_F(ModelOutputTest, IsCheckedBeforeTheTraining) {
  check_model_output("");
  check_model_output(path());
  EXPECT_THROW(check_model_output((folder_ / "m").string()), Error);
  EXPECT_THROW(check_model_output("/nonexistent/m.npz"), Error);
}

TEST_F(ModelOutputTest, ComesBackAsTheStartOfAJob) {
  write_model(path(), specification_, job_, weights_);
  ml::TrainingRule rule = specification_.rule;
  rule.standardization = {};
  InitialModel model = read_initial_model(path(), rule);
  EXPECT_EQ(model.weights.ref, weights_.ref);
  EXPECT_EQ(model.standardization, specification_.rule.standardization);
  rule.precision = ml::Precision::kDouble;
  EXPECT_EQ(read_initial_model(path(), rule).weights.ref.bytes, 35 * sizeof(double));
  rule.topology.units = {2, 4, 2};
  EXPECT_THROW(static_cast<void>(read_initial_model(path(), rule)), Error);
}

}  // namespace
}  // namespace gradmill::client
