// Programs under mutual TLS: who is served, who is not and what they are told.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certificates/certificates.h"
#include "system/cluster.h"
#include "system/unprivileged.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using test::Certificates;
using testing::HasSubstr;

using Words = std::vector<std::string>;

Words options_of(const TlsFiles& files) {
  return {"--tls-cert", files.cert, "--tls-key", files.key, "--tls-ca", files.ca};
}

/// Expects one line with `text` on stderr, and the exit code.
void expect_end(const Ended& ended, int code, const std::string& text) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(text));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

class TlsCluster : public testing::Test {
 protected:
  [[nodiscard]] Words as(const std::string& name) const {
    return options_of(certificates_.of(name));
  }

  [[nodiscard]] Cluster::Options secure() const {
    Cluster::Options options;
    options.node_options = with(options.node_options, as("node"));
    options.coordinator_options = as("coordinator");
    options.client_options = as("operator");
    return options;
  }

  /// Runs a verb of the client with other options than the cluster's.
  static Ended client(const Cluster& cluster, Words words, const Words& tls) {
    words = with(std::move(words), tls);
    return run("client",
               with(words, {"--coordinator", "127.0.0.1:" + std::to_string(cluster.port())}));
  }

  Certificates certificates_;
};

TEST_F(TlsCluster, GivesTheSameBits) {
  const Cluster plain;
  const Cluster cluster(secure());
  const std::string hash = hash_of(cluster.train(short_job()));
  EXPECT_EQ(hash.size(), 64U) << hash;
  EXPECT_EQ(hash, hash_of(plain.train(short_job())));
}

TEST_F(TlsCluster, PredictsTheSame) {
  const Words words = {
      "predict", "letters", "--file", GRADMILL_LETTERS "/validate_letters.txt", "--labelled"};
  const auto predictions = [&](const Cluster& cluster) {
    EXPECT_EQ(cluster.train(short_job()).code, 0);
    const Ended ended = cluster.client(words);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
  };
  const Cluster cluster(secure());
  const std::string right = predictions(cluster);
  EXPECT_NE(right, "");
  EXPECT_EQ(client(cluster, words, as("viewer")).out, right);
  EXPECT_EQ(predictions(Cluster()), right);
}

TEST_F(TlsCluster, TakesTheFilesFromTheEnvironment) {
  const Cluster cluster(secure());
  const TlsFiles files = certificates_.of("viewer");
  Process client(with({"/usr/bin/env",
                       "GRADMILL_TLS_CERT=" + files.cert,
                       "GRADMILL_TLS_KEY=" + files.key,
                       "GRADMILL_TLS_CA=" + files.ca,
                       "GRADMILL_COORDINATOR=127.0.0.1:" + std::to_string(cluster.port())},
                      command("client", {"node", "list"})));
  EXPECT_EQ(client.wait(seconds(20)), 0) << client.err();
}

TEST_F(TlsCluster, AViewerLooksAndChangesNothing) {
  certificates_.add_user("alice");
  const Cluster cluster(secure());
  const Words job = with(with({"job", "submit", "train", "--data"}, {GRADMILL_LETTERS}),
                         {"--rounds", "1", "--epochs", "1", "--hidden", "4", "--eta", "0.0001"});
  const std::string model = certificates_.path("model.safetensors");
  EXPECT_EQ(client(cluster, with(job, {"--id", "one"}), as("operator")).code, 0);

  for (const Words& words : {Words{"job", "list"},
                             {"job", "show", "one"},
                             {"job", "follow", "one"},
                             {"job", "logs", "one"},
                             {"job", "output", "one", "--output", model},
                             {"node", "list"},
                             {"node", "stats"},
                             {"fault", "list"}}) {
    const Ended ended = client(cluster, words, as("viewer"));
    EXPECT_EQ(ended.code, 0) << words[1] << ": " << ended.err;
  }
  const std::string why = "client: 'viewer' has the role viewer; this takes the role operator\n";
  for (const Words& words : {job,
                             {"job", "cancel", "one"},
                             {"job", "pause", "one"},
                             {"job", "resume", "one"},
                             {"job", "delete", "one"},
                             {"gc", "--dry-run"},
                             {"node", "join", "127.0.0.1:9"},
                             {"node", "leave", cluster.node_address(0)},
                             {"fault", "set", cluster.node_address(0), "low"},
                             {"fault", "set", "coordinator", "low"},
                             {"fault", "clear"}}) {
    const Ended ended = client(cluster, words, as("viewer"));
    EXPECT_EQ(ended.code, 5) << words[1];
    EXPECT_THAT(ended.err, HasSubstr(why)) << words[1];
  }
  expect_end(client(cluster, {"job", "list"}, as("alice")), 5, "does not know 'alice'");
  expect_end(client(cluster, {"job", "list"}, as("node")), 5, "'node' is a node");
}

TEST_F(TlsCluster, TakesUsersByTheirNames) {
  certificates_.add_user("alice");
  Cluster::Options options = secure();
  options.coordinator_options = with(options.coordinator_options, {"--tls-users", "alice=viewer"});
  const Cluster cluster(options);
  EXPECT_EQ(client(cluster, {"job", "list"}, as("alice")).code, 0);
  expect_end(client(cluster, {"job", "list"}, as("operator")), 5, "does not know 'operator'");
}

TEST_F(TlsCluster, RefusesWhoeverCannotProveWhoHeIs) {
  const Certificates others;
  const Cluster cluster(secure());
  expect_end(client(cluster, {"job", "list"}, {}), 4, "if it wants TLS, give --tls-cert");
  expect_end(client(cluster, {"job", "list"}, options_of(others.of("operator"))),
             5,
             "its certificate was not signed by the CA in --tls-ca");
  const std::string both = others.path("both.crt");
  test::run_shell("cat " + others.path("ca.crt") + " " + certificates_.path("ca.crt") + " >" +
                  both);
  TlsFiles files = others.of("operator");
  files.ca = both;
  expect_end(client(cluster, {"job", "list"}, options_of(files)), 5, "refuses our certificate");
}

TEST_F(TlsCluster, IsNotMetByAPlainCoordinator) {
  const Cluster plain;
  expect_end(client(plain, {"job", "list"}, as("operator")), 4, "leave out --tls-*");
}

TEST_F(TlsCluster, RefusesFilesThatAreNoGood) {
  const auto refused = [&](const Words& tls, const std::string& text) {
    expect_end(run("client", with({"job", "list", "--coordinator", "127.0.0.1:1"}, tls)), 2, text);
    expect_end(run("compute_node", with({"0", "0"}, tls)), 2, text);
    expect_end(run("coordinator", with({"0", "1", "--state-dir", "/nowhere"}, tls)), 2, text);
  };
  refused({"--tls-cert", certificates_.path("node.crt")}, "--tls-ca is missing");
  TlsFiles files = certificates_.of("node");
  files.cert = certificates_.path("none.crt");
  refused(options_of(files), files.cert);
  certificates_.sign_again("node", test::kLoopbackServer, -1);
  refused(as("node"), "the certificate expired on ");
  certificates_.sign_for_later("coordinator");
  refused(as("coordinator"), "the certificate is not valid before ");
  std::filesystem::permissions(certificates_.path("viewer.key"), std::filesystem::perms(0604));
  refused(as("viewer"), "others can read or change this key");
}

// Root may let a group read its keys, so that the key must be another user's.
TEST_F(TlsCluster, RefusesAKeyThatAGroupMayRead) {
  const Unprivileged nobody;
  const std::string key = certificates_.path("node.key");
  nobody.own(certificates_.path(""));
  nobody.own(key);
  std::filesystem::permissions(key, std::filesystem::perms(0640));
  for (const auto& [program, words] :
       {std::pair("client", Words{"job", "list", "--coordinator", "127.0.0.1:1"}),
        std::pair("compute_node", Words{"0", "0"})}) {
    expect_end(nobody.run(program, with(words, as("node"))),
               2,
               key + ": others can read or change this key (mode 0640)");
    if (::geteuid() == 0) {
      expect_end(run(program, with(words, as("node"))), 2, key + ": this key belongs to another");
    }
  }
}

TEST_F(TlsCluster, RefusesToServeWithTheCertificateOfAUser) {
  expect_end(run("compute_node", with({"0", "0"}, as("operator"))),
             2,
             certificates_.path("operator.crt") + ": the certificate is not for servers");
  expect_end(run("coordinator", with({"0", "1", "--state-dir", "/nowhere"}, as("ca"))),
             2,
             certificates_.path("ca.crt") + ": the certificate is not for servers");
}

TEST_F(TlsCluster, ServesOtherMachinesOnlyWithTlsOrWhenToldTo) {
  for (const char* const host : {"0.0.0.0", "192.0.2.1", "::"}) {
    const std::string why = std::string("--host: other machines can reach '") + host + "'";
    expect_end(run("compute_node", {"0", "0", "--host", host}), 2, why);
    expect_end(run("coordinator", {"0", "1", "--host", host}), 2, why);
  }
  const std::string beyond = "cannot listen on 192.0.2.1";
  expect_end(run("compute_node", {"0", "0", "--host", "192.0.2.1", "--insecure"}), 2, beyond);
  expect_end(run("compute_node", with({"0", "0", "--host", "192.0.2.1"}, as("node"))), 2, beyond);
  expect_end(run("compute_node", with({"0", "0", "--insecure"}, as("node"))),
             2,
             "--insecure does not go with --tls-cert");
  expect_end(run("compute_node", {"0", "0", "--tls-coordinators", "x"}),
             2,
             "--tls-coordinators does not go without --tls-cert");
  expect_end(run("coordinator", with({"0", "1", "--tls-users", "x=root"}, as("coordinator"))),
             2,
             "'x=root' is not NAME=viewer or NAME=operator");
}

TEST_F(TlsCluster, NodesJoinByTheirNames) {
  certificates_.add_server("stranger", "localhost");
  Cluster cluster(secure());
  const std::size_t node = cluster.start_joining_node();
  EXPECT_TRUE(eventually([&] {
    const json standing = cluster.standing(node);
    return !standing.is_null() && standing.at("state") == "alive";
  }));
  Process stranger(command(
      "compute_node",
      with({"0", "0", "--join", "127.0.0.1:" + std::to_string(cluster.port())}, as("stranger"))));
  EXPECT_TRUE(stranger.says("join_refused", seconds(20))) << stranger.err();
  EXPECT_THAT(stranger.err(), HasSubstr("does not know 'stranger'"));
}

TEST_F(TlsCluster, CoordinatorAndNodeChooseEachOther) {
  const auto trouble_of_first_node = [](const Cluster& cluster, const std::string& text) {
    return eventually([&] {
      const json nodes = cluster.ask({"node", "list"});
      return nodes.at(0).dump().find(text) != std::string::npos;
    });
  };
  Cluster::Options options = secure();
  options.coordinator_options = with(options.coordinator_options, {"--tls-nodes", "n1,n2"});
  EXPECT_TRUE(trouble_of_first_node(
      Cluster(options), "its certificate is that of 'node', whom --tls-nodes does not name"));
  options = secure();
  options.node_options = with(options.node_options, {"--tls-coordinators", "other"});
  EXPECT_TRUE(trouble_of_first_node(Cluster(options), "the node takes no calls of 'coordinator'"));
}

TEST_F(TlsCluster, AHangupChangesNothingWithoutTls) {
  Cluster plain;
  for (Process* const server : {&plain.coordinator(), &plain.node(0)}) {
    server->signal(SIGHUP);
    EXPECT_TRUE(server->says("SIGHUP: there are no certificates", seconds(20))) << server->err();
  }
  EXPECT_EQ(hash_of(plain.train(short_job())).size(), 64U);
}

TEST_F(TlsCluster, ReloadsDuringAJobThatGoesOn) {
  const std::string hash = hash_of(Cluster().train(many_rounds()));
  Cluster cluster(secure());
  Process job(command("client", cluster.train_words(many_rounds())));
  ASSERT_TRUE(job.says("round 3/", seconds(60))) << job.err();
  certificates_.sign_again("node", test::kLoopbackServer, 2);
  certificates_.sign_again("coordinator", test::kLoopbackServer, 2);
  for (Process* const server : {&cluster.coordinator(), &cluster.node(0), &cluster.node(1)}) {
    server->signal(SIGHUP);
    EXPECT_TRUE(server->says(".crt, ", seconds(20))) << server->err();
  }
  EXPECT_EQ(finish(job), hash) << job.err();
  for (std::size_t node = 0; node < 2; ++node) {
    EXPECT_EQ(cluster.stats(node).at("failed"), 0);
  }

  test::run_shell("echo nothing >" + certificates_.path("coordinator.crt"));
  cluster.coordinator().signal(SIGHUP);
  EXPECT_TRUE(cluster.coordinator().says("the certificate of before stays in use", seconds(20)));
  EXPECT_EQ(cluster.client({"node", "list"}).code, 0);
}

}  // namespace
}  // namespace gradmill::system_test
