// The input is a byte, which says what is expected of the rows, and a CSV file. Rows that are
// accepted are the same after writing and reading them, as a shard blob and as CSV.
#include <charconv>
#include <string>

#include "base/error.h"
#include "formats/csv.h"
#include "formats/shard_blob.h"
#include "fuzz/target.h"

namespace gradmill::fuzz {
namespace {

formats::CsvExpectation expectation_of(std::uint8_t choice) {
  formats::CsvExpectation expectation;
  if ((choice & 1U) != 0) {
    expectation.features = 2;
    expectation.features_from = "the first file";
  }
  if ((choice & 2U) != 0) {
    expectation.classes = 3;
    expectation.classes_from = "--classes 3";
  }
  return expectation;
}

std::string csv_of(const ml::Shard& shard) {
  std::string text;
  for (std::uint32_t row = 0; row < shard.rows; ++row) {
    for (std::uint32_t column = 0; column < shard.features; ++column) {
      char digits[64];
      const auto [end, error] =
          std::to_chars(digits, digits + sizeof digits, shard.value(row, column));
      GRADMILL_CHECK(error == std::errc{});
      text.append(digits, end);
      text += ',';
    }
    text += std::to_string(shard.labels[row]) + "\n";
  }
  return text;
}

}  // namespace
}  // namespace gradmill::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradmill;
  std::string_view text = fuzz::text_of(data, size);
  const formats::CsvExpectation expectation = fuzz::expectation_of(fuzz::take_byte(text));
  try {
    const ml::Shard shard = formats::parse_csv(text, "data.txt", expectation);
    const std::string blob = formats::encode_shard(shard);
    GRADMILL_CHECK(formats::encode_shard(formats::decode_shard(blob)) == blob);
    const ml::Shard again = formats::parse_csv(fuzz::csv_of(shard), "data.txt", expectation);
    GRADMILL_CHECK(formats::encode_shard(again) == blob);
  } catch (const Error& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
