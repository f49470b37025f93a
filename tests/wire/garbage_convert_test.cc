#include "wire/garbage_convert.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/refusals.h"

namespace gradmill::wire {
namespace {

TEST(GarbageConvert, RulesComeBackAsTheyWere) {
  EXPECT_FALSE(retention_from(to_wire(false, std::nullopt)).has_value());
  EXPECT_TRUE(to_wire(true, std::nullopt).dry_run);
  const CollectGarbageRequest sent =
      to_wire(false, gradmill::Retention{.jobs = 0, .age = std::chrono::milliseconds(5)});
  EXPECT_FALSE(sent.dry_run);
  const auto got = retention_from(sent);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->jobs, 0U);
  EXPECT_EQ(got->age.count(), 5);
  const Wrongs<CollectGarbageRequest> wrongs = {
      {"both of its parts or none", [](auto& rule) { rule.keep_jobs = -1; }},
      {"both of its parts or none", [](auto& rule) { rule.keep_for_ms = -1; }},
      {"the number of jobs to keep", [](auto& rule) { rule.keep_jobs = -2; }},
      {"the time to keep jobs for", [](auto& rule) { rule.keep_for_ms = -2; }}};
  expect_refusals(sent, wrongs, retention_from);
}

TEST(GarbageConvert, WhatWasRemovedComesBackAsItWas) {
  const CollectGarbageResponse sent = to_wire({.jobs = {"a"}, .files = {"f", "g"}, .bytes = 7});
  const gradmill::Garbage got = garbage_from(sent);
  EXPECT_EQ(got.jobs, std::vector<std::string>{"a"});
  EXPECT_EQ(got.files, (std::vector<std::string>{"f", "g"}));
  EXPECT_EQ(got.bytes, 7U);
  const Wrongs<CollectGarbageResponse> wrongs = {
      {"the bytes of the files", [](auto& garbage) { garbage.bytes = -1; }}};
  expect_refusals(sent, wrongs, garbage_from);
}

}  // namespace
}  // namespace gradmill::wire
