#include "protocol/model_name.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill {
namespace {

template <class Check>
std::string refusal(const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "";
}

std::string refusal_of_name(std::string_view name) {
  return refusal([&] { check_model_name(name); });
}

TEST(ModelNameTest, AllowsLettersOfAnyScript) {
  for (const char* name : {"letters", "a", "Grüße 2", "..a", "数字", "a.b-c_d", "\U0001F600"}) {
    EXPECT_EQ(refusal_of_name(name), "") << name;
  }
  EXPECT_EQ(refusal_of_name(std::string(255, 'x')), "");
}

TEST(ModelNameTest, NamesWhatIsWrong) {
  EXPECT_EQ(refusal_of_name(""), "the model name '' is empty");
  EXPECT_EQ(refusal_of_name(".."), "the model name '..' stands for a folder");
  EXPECT_EQ(refusal_of_name("a/b"), "the model name 'a/b' has a '/'");
  EXPECT_EQ(refusal_of_name("a@b"), "the model name 'a@b' has a '@'");
  EXPECT_EQ(refusal_of_name("-v"), "the model name '-v' begins with '-', like an option");
  EXPECT_EQ(refusal_of_name("a\nb"), R"(the model name 'a\x0ab' has a control character)");
  EXPECT_EQ(refusal_of_name(std::string_view("a\0b", 3)),
            R"(the model name 'a\x00b' has a control character)");
  EXPECT_EQ(refusal_of_name("a\xE2\x80\xAE"),
            R"(the model name 'a\xe2\x80\xae' has a control character)");
  for (const char* bytes : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_NE(refusal_of_name(bytes).find("is no UTF-8"), std::string::npos);
  }
  EXPECT_NE(refusal_of_name(std::string(256, 'x')).find("has 256 bytes; at most 255"),
            std::string::npos);
}

TEST(ModelNameTest, TakesReferencesApart) {
  EXPECT_EQ(parse_model_reference("letters").alias, "champion");
  EXPECT_EQ(parse_model_reference("letters@7").version, 7U);
  EXPECT_EQ(parse_model_reference("letters@7").model, "letters");
  EXPECT_EQ(parse_model_reference("letters@canary").alias, "canary");
  EXPECT_EQ(parse_model_reference("letters@canary").version, 0U);
}

TEST(ModelNameTest, RefusesReferencesToNothing) {
  for (const char* text : {"",
                           "@1",
                           "letters@",
                           "letters@0",
                           "letters@4294967296",
                           "letters@-1",
                           "letters@a/b",
                           "letters@1@2",
                           "letters@ a",
                           "../x@1"}) {
    EXPECT_NE(refusal([&] { static_cast<void>(parse_model_reference(text)); }), "") << text;
  }
}

TEST(ModelNameTest, AnAliasIsNoNumber) {
  EXPECT_EQ(refusal([] { check_model_alias("canary-1.b_c"); }), "");
  for (const char* alias : {"", "12", "-a", "a b", "ä", "a@b", ".", "..", ".a"}) {
    EXPECT_NE(refusal([&] { check_model_alias(alias); }), "") << alias;
  }
  EXPECT_NE(refusal([] { check_model_alias(std::string(65, 'a')); }), "");
}

}  // namespace
}  // namespace gradmill
