// Texts whose checksum holds and that nobody wrote: numbers that are none of their kind.
#include "coordinator/store/texts/stored_texts.h"

#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "coordinator/store/identity.h"

namespace gradmill::coordinator {
namespace {

std::string report_text(const std::string& round, const std::string& seconds) {
  return R"({"round":)" + round + R"(,"seconds":)" + seconds +
         R"(,"aggregate":0,"validate":0,"missing":[)" + round + "]}";
}

TEST(StoredTexts, IntegersAreExact) {
  EXPECT_EQ(report_of(report_text("4294967295", "0")).round, 4'294'967'295U);
  for (const char* const round : {"-1", "1.5", "1.0", "1e300", "4294967296", "true", "null"}) {
    EXPECT_THROW(static_cast<void>(report_of(report_text(round, "0"))), Damage) << round;
  }
  EXPECT_EQ(identity_of(R"({"epoch":18446744073709551615})").epoch, UINT64_MAX);
  for (const char* const epoch : {"-1", "1e300", "18446744073709551616"}) {
    EXPECT_THROW(static_cast<void>(identity_of(R"({"epoch":)" + std::string(epoch) + "}")), Damage)
        << epoch;
  }
}

TEST(StoredTexts, SignedIntegersAreExact) {
  const auto event = [](const std::string& time) {
    return event_of(
        R"({"sequence":1,"warning":false,"event":"","node":"","reason":"","message":"",)"
        R"("time_ms":)" +
        time + "}");
  };
  EXPECT_EQ(event("-9223372036854775808").time_ms, INT64_MIN);
  EXPECT_EQ(event("9223372036854775807").time_ms, INT64_MAX);
  EXPECT_THROW(event("9223372036854775808"), Damage);
  EXPECT_THROW(event("0.5"), Damage);
}

TEST(StoredTexts, OtherNumbersAreNumbers) {
  EXPECT_EQ(report_of(report_text("1", "2")).seconds, 2);
  EXPECT_EQ(report_of(report_text("1", R"("-inf")")).seconds, -HUGE_VAL);
  for (const char* const seconds : {R"("much")", "true", "[]", "1e999"}) {
    EXPECT_THROW(static_cast<void>(report_of(report_text("1", seconds))), Damage) << seconds;
  }
}

}  // namespace
}  // namespace gradmill::coordinator
