#include "program/tls_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::program {
namespace {

using testing::HasSubstr;

using Words = std::vector<std::string>;

Arguments server(const Words& words) {
  CommandLine line("p", "Tests.");
  add_server_tls_options(line);
  line.option("--tls-names", "LIST", "one", "");
  return line.parse(words).value();
}

/// What a server on `host` is refused with; "plain" or "TLS" if it is not.
std::string verdict(const Words& words, const std::string& host = "127.0.0.1") {
  try {
    return read_server_tls_options(server(words), host, {"--tls-names"}) ? "TLS" : "plain";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
}

const Words kAll = {"--tls-cert", "c", "--tls-key", "k", "--tls-ca", "a"};

TEST(TlsOptions, GoTogether) {
  const std::optional<TlsFiles> files = read_tls_options(server(kAll));
  ASSERT_TRUE(files);
  EXPECT_EQ(files->cert, "c");
  EXPECT_EQ(files->key, "k");
  EXPECT_EQ(files->ca, "a");
  for (std::size_t left_out = 0; left_out < kAll.size(); left_out += 2) {
    Words words = kAll;
    const auto at = words.begin() + static_cast<std::ptrdiff_t>(left_out);
    words.erase(at, at + 2);
    EXPECT_EQ(verdict(words),
              kAll[left_out] + " is missing; TLS needs --tls-cert, --tls-key and --tls-ca");
  }
}

TEST(TlsOptions, HaveDefaults) {
  CommandLine line("p", "Tests.");
  add_tls_options(line, {"c", "k", "a"});
  EXPECT_EQ(read_tls_options(line.parse({"--tls-key", "mine"}).value())->key, "mine");
}

TEST(TlsOptions, LoopbackNeedsNoTls) {
  for (const char* const host : {"127.0.0.1", "127.1.2.3", "localhost", "::1"}) {
    EXPECT_EQ(verdict({}, host), "plain") << host;
  }
}

TEST(TlsOptions, OtherHostsDoUnlessTheUserInsists) {
  for (const char* const host : {"0.0.0.0", "10.0.0.1", "128.0.0.1", "::", "fe80::1", "box", ""}) {
    EXPECT_THAT(verdict({}, host), HasSubstr("--insecure on a network that you trust")) << host;
    EXPECT_EQ(verdict({"--insecure"}, host), "plain") << host;
    EXPECT_EQ(verdict(kAll, host), "TLS") << host;
  }
}

TEST(TlsOptions, NoHostGarblesItsError) {
  EXPECT_THAT(verdict({}, "a\x1b[31mb\n"), HasSubstr("can reach 'a?[31mb?', and"));
}

TEST(TlsOptions, ContradictWhatMeansNothing) {
  Words words = kAll;
  words.emplace_back("--insecure");
  EXPECT_EQ(verdict(words), "--insecure does not go with --tls-cert");
  EXPECT_EQ(verdict({"--tls-names", "x"}), "--tls-names does not go without --tls-cert");
}

TEST(TlsOptions, NamesAreDifferentAndNotEmpty) {
  const auto names = [](const std::string& list) {
    return server({"--tls-names", list}).names("--tls-names");
  };
  EXPECT_EQ(names("a,b"), (Words{"a", "b"}));
  EXPECT_THROW(static_cast<void>(names("a,,b")), Error);
  EXPECT_THROW(static_cast<void>(names("a,a")), Error);
  EXPECT_THROW(static_cast<void>(names("a,b\n")), Error);
}

}  // namespace
}  // namespace gradmill::program
