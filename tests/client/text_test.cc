#include "client/report/text.h"

#include <cstdint>
#include <limits>
#include <sstream>

#include <gtest/gtest.h>

#include "client/report/table.h"

namespace gradmill::client {
namespace {

TEST(Text, BytesHaveUnits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(999'949), "999.9 kB");
  EXPECT_EQ(bytes_text(999'950), "1.0 MB");
  EXPECT_EQ(bytes_text(4'000'000'000), "4.0 GB");
  EXPECT_EQ(bytes_text(std::numeric_limits<std::uint64_t>::max()), "18.4 EB");
}

TEST(Text, DurationsHaveUnits) {
  EXPECT_EQ(time_text(0), "0 s");
  EXPECT_EQ(time_text(59), "59 s");
  EXPECT_EQ(time_text(300), "5 min");
  EXPECT_EQ(time_text(5400), "1.5 h");
  EXPECT_EQ(time_text(2 * 86'400.0), "2.0 d");
}

TEST(Text, TimesAreOfTheCalendar) {
  EXPECT_EQ(utc_time_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_time_text(1'700'000'000'042), "2023-11-14T22:13:20.042Z");
  EXPECT_EQ(local_time_text(1'700'000'000'042).size(), 19U);
  EXPECT_EQ(utc_time_text(std::numeric_limits<std::int64_t>::max() / 1000).empty(), false);
}

TEST(Table, AlignsColumns) {
  Table table = {{"NAME"}, {"N", Table::Align::kRight}, {"LAST"}};
  table.add({"a", "100", "x"});
  table.add({"longer", "7", ""});
  table.add({"bad\x1b[2J", "", ""});
  std::ostringstream text;
  table.write(text);
  EXPECT_EQ(text.str(),
            "NAME       N  LAST\n"
            "a        100  x\n"
            "longer     7  -\n"
            "bad?[2J    -  -\n");
}

}  // namespace
}  // namespace gradmill::client
