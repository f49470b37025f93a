#include "coordinator/core/round/result_check.h"

#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/checksum.h"

namespace gradmill::coordinator {
namespace {

using testing::HasSubstr;
using testing::Optional;

template <class Element>
std::string bytes_of(const std::vector<Element>& elements) {
  std::string bytes;
  for (const Element& element : elements) {
    std::array<char, sizeof(Element)> one{};
    std::memcpy(one.data(), &element, one.size());
    bytes.append(one.data(), one.size());
  }
  return bytes;
}

/// A valid answer to an offer of four weights, for each test to spoil.
class ResultCheckTest : public testing::Test {
 protected:
  ResultCheckTest() {
    auto job = std::make_shared<JobSpecification>();
    job->rule.epochs = 3;
    offer_.job = job;
    offer_.id = {.job = "job", .round = 2, .shard = 1, .offer = 7};
    offer_.weights = make_blob(std::string(4 * sizeof(float), 'w'));
    answer_.task = offer_.id;
    answer_.state = TaskState::kDone;
    answer_.weights = offer_.weights.ref.digest;
    answer_.loss = 1.5;
    answer_.epochs = 3;
    send_inline({0, 1, -1, 0.5F});
  }

  void send_inline(const std::vector<float>& delta) {
    const auto bytes = std::make_shared<const std::string>(bytes_of(delta));
    answer_.delta = {{}, bytes->size()};
    answer_.delta_bytes = bytes;
    answer_.delta_checksum = checksum(*bytes);
    delta_ = {answer_.delta, bytes};
  }
  void send_as_blob(const std::vector<float>& delta) {
    delta_ = make_blob(bytes_of(delta));
    answer_.delta = delta_.ref;
    answer_.delta_bytes.reset();
  }
  [[nodiscard]] std::optional<std::string> defect() const {
    return defect_of(answer_, delta_, offer_);
  }

  TaskOffer offer_;
  TaskAnswer answer_;
  Blob delta_;
};

TEST_F(ResultCheckTest, AValidResultHasNoDefect) {
  EXPECT_EQ(defect(), std::nullopt);
  send_as_blob({0, 1, -1, 0.5F});
  EXPECT_EQ(defect(), std::nullopt);
}

TEST_F(ResultCheckTest, WhatIsNotFiniteIsRefusedWhereverItIs) {
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    for (std::size_t at = 0; at < 4; ++at) {
      std::vector<float> delta(4, 0.25F);
      delta[at] = wrong;
      send_inline(delta);
      EXPECT_THAT(defect(), Optional(HasSubstr("not finite"))) << wrong << " at " << at;
      send_as_blob(delta);
      EXPECT_THAT(defect(), Optional(HasSubstr("not finite"))) << wrong << " at " << at;
    }
  }
}

TEST_F(ResultCheckTest, DoublesAreCheckedAsDoubles) {
  auto job = std::make_shared<JobSpecification>(*offer_.job);
  job->rule.precision = ml::Precision::kDouble;
  offer_.job = job;
  // Its halves are no finite floats.
  delta_ = make_blob(bytes_of<double>({std::numeric_limits<double>::max(), 0}));
  answer_.delta = delta_.ref;
  answer_.delta_bytes.reset();
  EXPECT_EQ(defect(), std::nullopt);
  delta_ = make_blob(bytes_of<double>({std::numeric_limits<double>::infinity(), 0}));
  answer_.delta = delta_.ref;
  EXPECT_THAT(defect(), Optional(HasSubstr("not finite")));
}

TEST_F(ResultCheckTest, ALossThatIsNotFiniteIsRefused) {
  for (const double wrong :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    answer_.loss = wrong;
    EXPECT_THAT(defect(), Optional(HasSubstr("not finite")));
  }
}

TEST_F(ResultCheckTest, ADeltaOfAnotherShapeIsRefused) {
  for (const std::size_t elements : {0U, 3U, 5U}) {
    send_inline(std::vector<float>(elements, 0));
    EXPECT_THAT(defect(), Optional(HasSubstr("the weights have 16"))) << elements;
    send_as_blob(std::vector<float>(elements, 0));
    EXPECT_THAT(defect(), Optional(HasSubstr("the weights have 16"))) << elements;
  }
}

TEST_F(ResultCheckTest, EveryFlippedBitIsSeen) {
  const std::string good = *delta_.bytes;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    delta_.bytes = std::make_shared<const std::string>(bad);
    EXPECT_THAT(defect(), Optional(HasSubstr("not the one it announced"))) << bit;
  }
  send_as_blob({0, 1, -1, 0.5F});
  delta_ = make_blob(bytes_of<float>({0, 1, -1, 0.25F}));
  EXPECT_THAT(defect(), Optional(HasSubstr("not the one it announced")));
}

TEST_F(ResultCheckTest, AnAnswerToAnotherOfferIsRefused) {
  for (const TaskId& other : {TaskId{"other", 2, 1, 7},
                              TaskId{"job", 1, 1, 7},
                              TaskId{"job", 2, 0, 7},
                              TaskId{"job", 2, 1, 6}}) {
    answer_.task = other;
    EXPECT_THAT(defect(), Optional(HasSubstr("another offer")));
  }
}

TEST_F(ResultCheckTest, ADeltaFromOtherWeightsIsRefused) {
  answer_.weights = make_blob("those of the round before").ref.digest;
  EXPECT_THAT(defect(), Optional(HasSubstr("other weights")));
}

TEST_F(ResultCheckTest, TimesAndEpochsThatCannotBeAreRefused) {
  for (const double wrong :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    answer_.compute_seconds = wrong;
    EXPECT_THAT(defect(), Optional(HasSubstr("cannot be"))) << wrong;
    answer_.compute_seconds = 0;
    answer_.delay_seconds = wrong;
    EXPECT_THAT(defect(), Optional(HasSubstr("cannot be"))) << wrong;
    answer_.delay_seconds = 0;
  }
  answer_.epochs = 4;
  EXPECT_THAT(defect(), Optional(HasSubstr("cannot be")));
}

}  // namespace
}  // namespace gradmill::coordinator
