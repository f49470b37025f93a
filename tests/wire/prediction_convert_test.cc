#include "wire/prediction_convert.h"

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST(PredictionConvert, PartsBecomeOneMessage) {
  const std::string first("\1\2\3\4", 4);
  const std::string second("\5\6", 2);
  Rows to;
  to.values = "what was there";
  const std::array<RawRows, 2> parts = {RawRows{gradmill::ElementType::kByte, 2, 2, first},
                                        RawRows{gradmill::ElementType::kByte, 1, 2, second}};
  fill_rows(to, parts);
  const RawRows rows = rows_from(to);
  EXPECT_EQ(rows.rows, 3U);
  EXPECT_EQ(rows.features, 2U);
  EXPECT_EQ(rows.values, first + second);
}

TEST(PredictionConvert, RowsAreChecked) {
  Rows sound;
  sound.elements = ElementType::FLOAT;
  sound.rows = 2;
  sound.features = 2;
  sound.values = bytes_of({1, 2, 3, 4});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  expect_refusals<Rows>(
      sound,
      {{"the type of the rows' elements", [](Rows& r) { r.elements = ElementType::UNKNOWN; }},
       {"the number of rows", [](Rows& r) { r.rows = -1; }},
       {"no rows", [](Rows& r) { r.rows = 0; }},
       {"the number of features", [](Rows& r) { r.features = -1; }},
       {"no rows", [](Rows& r) { r.features = 0; }},
       {"bytes were sent", [](Rows& r) { r.rows = 3; }},
       {"bytes were sent", [](Rows& r) { r.values.pop_back(); }},
       {"bytes were sent", [](Rows& r) { r.rows = r.features = 0x7FFFFFFF; }},
       {"row 2",
        [&](Rows& r) {
          r.values = bytes_of({1, 2, nan, 4});
        }},
       {"row 1",
        [&](Rows& r) {
          r.values = bytes_of({1, -infinity, nan, 4});
        }}},
      [](const Rows& rows) { return rows_from(rows); });
}

TEST(PredictionConvert, PredictionsComeBackAsTheyWere) {
  const RowPredictions sent{
      .classes = std::string("\2\0", 2), .probabilities = bytes_of({0.5}), .compute_ns = 9};
  const RowPredictions got = predictions_from(to_wire(RowPredictions(sent)));
  EXPECT_EQ(got.classes, sent.classes);
  EXPECT_EQ(got.probabilities, sent.probabilities);
  EXPECT_EQ(got.compute_ns, 9);
  EXPECT_NO_THROW(check_predictions(got, 1, 3));
  EXPECT_THROW(check_predictions(got, 1, 2), Error);
  EXPECT_THROW(check_predictions(got, 2, 3), Error);
  PredictResponse answer =
      to_wire(ModelPredictions{.model = "m", .version = 4, .rows = sent, .queue_ns = 5});
  answer.queue_ns = -1;
  EXPECT_THROW(static_cast<void>(predictions_from(PredictResponse(answer))), Error);
  answer.queue_ns = 5;
  const ModelPredictions back = predictions_from(std::move(answer));
  EXPECT_EQ(back.model, "m");
  EXPECT_EQ(back.version, 4U);
  EXPECT_EQ(back.queue_ns, 5);
  EXPECT_EQ(back.rows.classes, sent.classes);
}

TEST(PredictionConvert, AModelHasFeaturesAndClasses) {
  const ServedModel sent{"m", 2, {sha256("file"), 4}, 3, {"a", "b"}};
  EXPECT_EQ(served_model_from(to_wire(sent)).file, sent.file);
  EXPECT_EQ(served_model_from(to_wire(sent)).labels, sent.labels);
  EXPECT_THROW(static_cast<void>(served_model_from(to_wire(ServedModel{"m", 2, {}, 0, {"a"}}))),
               Error);
  EXPECT_THROW(static_cast<void>(served_model_from(to_wire(ServedModel{"m", 2, {}, 3, {}}))),
               Error);
}

TEST(PredictionConvert, PredictionsOfAJobAreThoseThatWereAskedFor) {
  JobPredictions sent{
      .first_row = 7,
      .rows = 2,
      .predictions = {.classes = std::string("\1\0\2\0", 4), .probabilities = bytes_of({0.5, 1})},
      .ended = true};
  JobPredictionsRequest request;
  request.first_row = 7;
  request.rows_max = 2;
  const JobPredictions got = job_predictions_from(to_wire(JobPredictions(sent)), request);
  EXPECT_EQ(got.first_row, 7U);
  EXPECT_EQ(got.rows, 2U);
  EXPECT_EQ(got.predictions.classes, sent.predictions.classes);
  EXPECT_EQ(got.predictions.probabilities, sent.predictions.probabilities);
  EXPECT_TRUE(got.ended);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_refusals<JobPredictionsResponse>(
      to_wire(JobPredictions(sent)),
      {{"other rows", [](auto& r) { r.first_row = 6; }},
       {"the number of rows", [](auto& r) { r.rows = -1; }},
       {"the number of rows", [](auto& r) { r.rows = 3; }},
       {"as many as rows", [](auto& r) { r.rows = 1; }},
       {"as many as rows", [](auto& r) { r.classes.pop_back(); }},
       {"as many as rows", [](auto& r) { r.probabilities.clear(); }},
       {"not finite",
        [&](auto& r) {
          r.probabilities = bytes_of({0.5, nan});
        }}},
      [&](const JobPredictionsResponse& response) {
        return job_predictions_from(JobPredictionsResponse(response), request);
      });
  EXPECT_EQ(rows_max_from(5), 5U);
  EXPECT_EQ(rows_max_from(0x7FFFFFFF), kPredictionRowsMax);
  EXPECT_THROW(static_cast<void>(rows_max_from(0)), Error);
  EXPECT_THROW(static_cast<void>(rows_max_from(-1)), Error);
}

}  // namespace
}  // namespace gradmill::wire
