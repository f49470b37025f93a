#include "coordinator/service/prediction/batch_queue.h"

#include <vector>

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

class BatchQueueTest : public testing::Test {
 protected:
  using Queue = BatchQueue<QueuedRows>;

  static std::shared_ptr<const ServedModel> model(const std::string& name) {
    return std::make_shared<const ServedModel>(
        ServedModel{name, 1, {sha256(name), name.size()}, 1, {"0"}});
  }
  std::shared_ptr<QueuedRows> request(std::uint32_t rows,
                                      const std::string& name = "a",
                                      ElementType elements = ElementType::kByte) {
    auto one = std::make_shared<QueuedRows>();
    one->model = model(name);
    one->rows = {elements, rows, 1, {}};
    return one;
  }
  static std::vector<std::uint32_t> rows_of(const Queue::Batch& batch) {
    std::vector<std::uint32_t> rows;
    for (const auto& one : batch) {
      rows.push_back(one->rows.rows);
    }
    return rows;
  }
};

using Rows = std::vector<std::uint32_t>;

TEST_F(BatchQueueTest, ABatchIsWhatComesFirstUpToItsSize) {
  Queue queue(100, 100, 10);
  for (const std::uint32_t rows : {4U, 5U, 2U, 1U}) {
    ASSERT_TRUE(queue.add(request(rows)));
  }
  EXPECT_TRUE(queue.has_full_batch());
  EXPECT_EQ(rows_of(queue.take()), (Rows{4, 5})) << "the one row does not overtake";
  EXPECT_FALSE(queue.has_full_batch());
  EXPECT_EQ(queue.rows(), 3U);
  EXPECT_EQ(rows_of(queue.take()), (Rows{2, 1}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.rows(), 0U);
}

TEST_F(BatchQueueTest, ARequestMayBeLargerThanABatch) {
  Queue queue(100, 100, 10);
  ASSERT_TRUE(queue.add(request(30)));
  ASSERT_TRUE(queue.add(request(1)));
  EXPECT_EQ(rows_of(queue.take()), (Rows{30}));
  EXPECT_EQ(rows_of(queue.take()), (Rows{1}));
}

TEST_F(BatchQueueTest, OnlyRowsOfOneKindForOneModelGoTogether) {
  Queue queue(100, 100, 10);
  ASSERT_TRUE(queue.add(request(1)));
  ASSERT_TRUE(queue.add(request(2, "b")));
  ASSERT_TRUE(queue.add(request(3, "a", ElementType::kFloat)));
  ASSERT_TRUE(queue.add(request(4)));
  ASSERT_TRUE(queue.add(request(5, "b")));
  EXPECT_EQ(rows_of(queue.take()), (Rows{1, 4}));
  EXPECT_EQ(rows_of(queue.take()), (Rows{2, 5}));
  EXPECT_EQ(rows_of(queue.take()), (Rows{3}));
}

TEST_F(BatchQueueTest, TurnsAwayWhatIsTooMuch) {
  Queue rows(100, 10, 4);
  EXPECT_TRUE(rows.add(request(30))) << "nothing waits";
  EXPECT_FALSE(rows.add(request(1)));
  static_cast<void>(rows.take());
  EXPECT_TRUE(rows.add(request(9)));
  EXPECT_FALSE(rows.add(request(2)));
  EXPECT_TRUE(rows.add(request(1)));
  Queue requests(2, 100, 4);
  EXPECT_TRUE(requests.add(request(1)));
  EXPECT_TRUE(requests.add(request(1)));
  EXPECT_FALSE(requests.add(request(1)));
}

TEST_F(BatchQueueTest, WhatComesBackIsFirst) {
  Queue queue(2, 5, 4);
  ASSERT_TRUE(queue.add(request(1)));
  ASSERT_TRUE(queue.add(request(2)));
  const Queue::Batch batch = queue.take();
  ASSERT_TRUE(queue.add(request(3)));
  queue.put_back(batch);
  EXPECT_EQ(queue.rows(), 6U);
  EXPECT_EQ(rows_of(queue.take_all()), (Rows{1, 2, 3}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.rows(), 0U);
}

}  // namespace
}  // namespace gradmill::coordinator
