#include "compute_node/prediction/model_shelf.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/model_file.h"
#include "ml/train_shard.h"

namespace gradmill::node {
namespace {

Blob model_file(std::uint64_t seed, const std::string& activation = "relu") {
  ml::TrainingRule rule;
  rule.topology.units = {3, 4, 5};
  rule.seed = seed;
  formats::ModelFile model;
  model.topology = rule.topology;
  if (!activation.empty()) {
    model.metadata["activation"] = activation;
  }
  return make_blob(formats::encode_model_header(model) + ml::initial_parameter_bytes(rule));
}

const std::string& values() {
  static const std::string kValues("\1\2\3\4\5\6", 6);
  return kValues;
}

RawRows rows() { return {ElementType::kByte, 2, 3, values()}; }

std::string refusal(const std::string& file) {
  ModelShelf shelf(1 << 20);
  try {
    shelf.put(make_blob(file));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "taken";
}

TEST(ModelShelf, AnswersByTheModelsThatItHas) {
  ModelShelf shelf(1 << 20);
  const Blob model = model_file(1);
  EXPECT_EQ(shelf.find(model.ref.digest), nullptr);
  shelf.put(model);
  shelf.put(model);
  const std::shared_ptr<ShelvedModel> shelved = shelf.find(model.ref.digest);
  ASSERT_NE(shelved, nullptr);
  const RowPredictions answer = shelved->predict(rows());
  EXPECT_NO_THROW(check_predictions(answer, 2, 5));
  const std::string floats = [] {
    std::vector<float> all(values().begin(), values().end());
    return std::string(reinterpret_cast<const char*>(all.data()), all.size() * sizeof(float));
  }();
  const RowPredictions same = shelved->predict({ElementType::kFloat, 2, 3, floats});
  EXPECT_EQ(same.classes, answer.classes);
  EXPECT_EQ(same.probabilities, answer.probabilities);
  EXPECT_THROW(static_cast<void>(shelved->predict({ElementType::kByte, 3, 2, values()})), Error);
}

TEST(ModelShelf, DropsWhatWasNotUsedForLongest) {
  ml::PreparedNetwork one(network_from(*model_file(1).bytes));
  ModelShelf shelf(2 * one.bytes());
  for (const std::uint64_t seed : {1U, 2U}) {
    shelf.put(model_file(seed));
  }
  EXPECT_NE(shelf.find(model_file(1).ref.digest), nullptr);
  shelf.put(model_file(3));
  EXPECT_NE(shelf.find(model_file(1).ref.digest), nullptr);
  EXPECT_EQ(shelf.find(model_file(2).ref.digest), nullptr);
  ModelShelf tiny(0);
  tiny.put(model_file(1));
  EXPECT_NE(tiny.find(model_file(1).ref.digest), nullptr) << "one stays in any case";
}

TEST(ModelShelf, RefusesWhatIsNoModel) {
  EXPECT_NE(refusal("nonsense"), "taken");
  EXPECT_NE(refusal(*model_file(1, "").bytes).find("which activation"), std::string::npos);
  EXPECT_NE(refusal(*model_file(1, "swish").bytes).find("which activation"), std::string::npos);
  const std::string whole = *model_file(1).bytes;
  EXPECT_NE(refusal(whole.substr(0, whole.size() - 1)), "taken");
}

TEST(ModelShelf, ServesManyAtATime) {
  ModelShelf shelf(1 << 20);
  const Blob model = model_file(1);
  const std::shared_ptr<ShelvedModel> shelved = shelf.put(model);
  const RowPredictions expected = shelved->predict(rows());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        EXPECT_EQ(shelved->predict(rows()).classes, expected.classes);
      }
    });
  }
}

}  // namespace
}  // namespace gradmill::node
