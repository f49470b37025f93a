#include "program/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "program/log_options.h"

namespace gradmill::program {
namespace {

Arguments parsed(const std::vector<std::string>& words) {
  CommandLine line("p", "Tests.");
  line.option("--join", "LIST", std::nullopt, "").option("--advertise", "HOST", std::nullopt, "");
  add_log_options(line);
  return line.parse(words).value();
}

// The message of the error that `act` throws.
template <class F>
std::string refusal(const F& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

TEST(Arguments, AListOfAddresses) {
  EXPECT_EQ(parsed({"--join", "a:1"}).addresses("--join"), (std::vector<Address>{{"a", 1}}));
  EXPECT_EQ(parsed({"--join", "a:1,b:65535,a:2"}).addresses("--join"),
            (std::vector<Address>{{"a", 1}, {"b", 65535}, {"a", 2}}));
}

TEST(Arguments, AListOfAddressesNamesItsCulprit) {
  const auto refused = [](const std::string& list) {
    return refusal([&] { static_cast<void>(parsed({"--join", list}).addresses("--join")); });
  };
  EXPECT_EQ(refused("a:b"), "--join: 'a:b' is not HOST:PORT");
  EXPECT_EQ(refused("a:1,b"), "--join: 'b' is not HOST:PORT");
  EXPECT_EQ(refused("a:1,:2"), "--join: ':2' is not HOST:PORT");
  EXPECT_EQ(refused("a:0"), "--join: 'a:0' is not HOST:PORT");
  EXPECT_EQ(refused("a:65536"), "--join: 'a:65536' is not HOST:PORT");
  for (const char* const list : {"", ",", "a:1,", ",a:1", "a:1,,b:2"}) {
    EXPECT_EQ(refused(list), "--join: '' is not HOST:PORT") << list;
  }
  EXPECT_EQ(refused("a:1,b:2,a:1"), "--join: 'a:1' is there twice");
  EXPECT_THAT(refused("a\n:x"), testing::Not(testing::HasSubstr("\n")));
}

TEST(Arguments, AnAddressWhosePortMayBeLeftOut) {
  const auto address = [](const std::string& value) {
    return parsed({"--advertise", value}).address("--advertise", 7);
  };
  EXPECT_EQ(address("h"), (Address{"h", 7}));
  EXPECT_EQ(address("h:9"), (Address{"h", 9}));
  EXPECT_EQ(refusal([&] { address("h:"); }), "--advertise: 'h:' is not HOST or HOST:PORT");
  EXPECT_EQ(refusal([&] { address("h:0"); }), "--advertise: 'h:0' is not HOST or HOST:PORT");
  EXPECT_EQ(refusal([&] { address(""); }), "--advertise: is empty");
}

TEST(Arguments, AnIpv6AddressHasBracketsWhereAPortMayFollow) {
  const auto join = [](const std::string& value) {
    return parsed({"--join", value}).addresses("--join");
  };
  EXPECT_EQ(join("[::1]:9,[fe80::1]:9"), (std::vector<Address>{{"::1", 9}, {"fe80::1", 9}}));
  EXPECT_EQ(refusal([&] { join("[::1]"); }), "--join: '[::1]' is not HOST:PORT");
  const auto advertise = [](const std::string& value) {
    return parsed({"--advertise", value}).address("--advertise", 7);
  };
  EXPECT_EQ(advertise("[::1]"), (Address{"::1", 7}));
  EXPECT_EQ(advertise("[::1]:9"), (Address{"::1", 9}));
  EXPECT_EQ(refusal([&] { advertise("::1"); }),
            "--advertise: '::1' is not HOST or HOST:PORT; write [IPV6]");
  EXPECT_EQ(parsed({"--advertise", "[::1]"}).host("--advertise"), "::1");
  EXPECT_EQ(parsed({"--advertise", "::1"}).host("--advertise"), "::1");
}

TEST(Arguments, AnUnknownOptionCannotGarbleItsMessage) {
  EXPECT_EQ(refusal([] { static_cast<void>(parsed({"--a\nb\x1b[2J\x7f"})); }),
            "unrecognised option '--a?b?[2J?'; see p --help");
  for (const char* const name : {"--%canonical_option%", "--%option%=1", "--%prefix%%%"}) {
    const std::string word = name;
    EXPECT_EQ(refusal([&] { static_cast<void>(parsed({word})); }),
              "unrecognised option '" + word.substr(0, word.find('=')) + "'; see p --help");
  }
  for (const char* const word : {"--unknown=%canonical_option%", "--help=%original_token%"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(parsed({word})); }),
              "cannot understand '" + std::string(word) + "'; see p --help");
  }
}

TEST(LogOptions, RefuseOtherFormats) {
  EXPECT_EQ(refusal([] {
              apply_log_options(parsed({"--log-format", "xml"}));
            }),
            "--log-format: 'xml' is not text or json");
}

}  // namespace
}  // namespace gradmill::program
