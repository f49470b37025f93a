#include "formats/row_table.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::formats {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

RowTable parsed(const std::string& text, bool labelled = false) {
  return parse_rows(text, "rows.csv", {2, "model m@1", labelled});
}

std::string error_of(const std::string& text, bool labelled = false) {
  try {
    static_cast<void>(parsed(text, labelled));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "no error";
}

TEST(RowTable, IntegersOfAByteStayBytes) {
  const RowTable table = parsed("1,255\r\n\n 0 ,7");
  EXPECT_EQ(table.rows, 2U);
  EXPECT_EQ(std::get<Bytes>(table.values), (Bytes{1, 255, 0, 7}));
  EXPECT_TRUE(table.labels.empty());
}

TEST(RowTable, OneOtherNumberMakesFloats) {
  EXPECT_EQ(std::get<Floats>(parsed("1,2\n3,0.5\n").values), (Floats{1, 2, 3, 0.5}));
  EXPECT_EQ(std::get<Floats>(parsed("256,-1").values), (Floats{256, -1}));
}

TEST(RowTable, KeepsLabelsAsTheyAre) {
  const RowTable table = parsed("1,2, A \n3,4,17\n", true);
  EXPECT_EQ(table.labels, (std::vector<std::string>{"A", "17"}));
  EXPECT_EQ(std::get<Bytes>(table.values), (Bytes{1, 2, 3, 4}));
}

TEST(RowTable, NamesTheLineOfWhatIsWrong) {
  EXPECT_EQ(error_of(""), "rows.csv: has no rows");
  EXPECT_EQ(error_of("1,2\n1\n"), "rows.csv:2: has 1 column; model m@1 takes 2 features");
  EXPECT_EQ(error_of("1,2\n\n1,2,3\n"),
            "rows.csv:3: has 3 columns; model m@1 takes 2 features; if the last column is a label, "
            "remove it or give --labelled");
  EXPECT_EQ(error_of("1,2\n", true),
            "rows.csv:1: has 2 columns; model m@1 takes 2 features, and a label is to follow");
  EXPECT_EQ(error_of("1,nan\n"), "rows.csv:1: 'nan' in column 2 is not a finite number");
  EXPECT_EQ(error_of("x,1\n"), "rows.csv:1: 'x' in column 1 is not a number");
  EXPECT_EQ(error_of("1,\n"), "rows.csv:1: column 2 is empty");
  EXPECT_NE(error_of("1,1e99\n").find("is out of range"), std::string::npos);
}

}  // namespace
}  // namespace gradmill::formats
