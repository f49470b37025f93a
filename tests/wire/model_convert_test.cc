#include "wire/model_convert.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::wire {
namespace {

gradmill::ModelDetails full() {
  gradmill::ModelDetails details;
  gradmill::ModelVersion& version = details.version;
  version.model = "letters";
  version.version = 7;
  version.file = {sha256("file"), 100};
  version.parameters = sha256("parameters");
  version.topology.units = {16, 24, 2};
  version.activation = ml::Activation::kSigmoid;
  version.precision = ml::Precision::kDouble;
  version.standardized = true;
  version.labels = {"zero", "one"};
  version.lineage = {.job = "j",
                     .job_digest = sha256("job"),
                     .data_digest = sha256("data"),
                     .rule = {{"optimizer", "adam"}},
                     .seed = UINT64_MAX,
                     .round = 3,
                     .errors = {{1, 0.5}, {3, 0.25}},
                     .validation_error = 0.25,
                     .confusion = gradmill::Confusion{2, {{0, 0, 5}, {1, 0, 1}}}};
  version.created_ms = 1234567890123;
  details.aliases = {{"champion", 7}};
  details.history = {{5, "champion", 0, 7, AliasChange::kRegistered},
                     {6, "", 3, 0, AliasChange::kDeleted}};
  return details;
}

std::string refusal(const std::function<void(GetModelResponse&)>& change) {
  GetModelResponse response = to_wire(full());
  change(response);
  try {
    static_cast<void>(model_from(response));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "";
}

TEST(ModelConvert, KeepsEveryField) {
  const gradmill::ModelDetails before = full();
  const gradmill::ModelDetails after = model_from(to_wire(before));
  EXPECT_EQ(after.version, before.version);
  EXPECT_EQ(after.aliases, before.aliases);
  EXPECT_EQ(after.history, before.history);
}

TEST(ModelConvert, KeepsWhatIsAbsent) {
  gradmill::ModelDetails before = full();
  before.version.lineage.validation_error.reset();
  before.version.lineage.confusion.reset();
  EXPECT_EQ(model_from(to_wire(before)).version, before.version);
}

TEST(ModelConvert, NamesWhatIsWrong) {
  using R = GetModelResponse;
  EXPECT_EQ(refusal([](R&) {}), "");
  EXPECT_NE(refusal([](R& r) { r.version.model = "a/b"; }).find("has a '/'"), std::string::npos);
  EXPECT_EQ(refusal([](R& r) { r.version.version = -1; }), "a version is out of range");
  EXPECT_EQ(refusal([](R& r) { r.version.units = {}; }), "the topology is none");
  EXPECT_EQ(refusal([](R& r) { r.version.units = {-1, 2}; }), "a layer's units is out of range");
  EXPECT_EQ(refusal([](R& r) { r.version.labels.pop_back(); }),
            "the labels are not as many as the classes");
  EXPECT_EQ(refusal([](R& r) { r.version.activation = "x"; }), "the activation is unknown");
  EXPECT_EQ(refusal([](R& r) { r.version.validation_error = 2; }), "a validation error is none");
  EXPECT_EQ(refusal([](R& r) { r.version.confusion.counts[0].label = 2; }),
            "a class is out of range");
  EXPECT_EQ(refusal([](R& r) { r.history[0].change = "x"; }), "the change of an alias is unknown");
}

TEST(ModelConvert, KeepsLists) {
  gradmill::ModelSummary one;
  one.model = "letters";
  one.version = 2;
  one.aliases = {"canary", "champion"};
  one.versions = 3;
  one.validation_error = 0.5;
  one.topology = "16-24-2";
  one.created_ms = 5;
  const std::vector<gradmill::ModelSummary> after =
      models_from(to_wire(std::vector<gradmill::ModelSummary>{one}));
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].aliases, one.aliases);
  EXPECT_EQ(after[0].validation_error, 0.5);
  EXPECT_EQ(after[0].versions, 3U);
}

}  // namespace
}  // namespace gradmill::wire
