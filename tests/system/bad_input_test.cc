// Bad input gets one line that names the culprit, and the documented exit code.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "system/cluster.h"
#include "system/unprivileged.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

void expect_refused(const std::string& program,
                    const std::vector<std::string>& words,
                    const std::string& culprit,
                    const std::string& folder = ".",
                    int code = 2) {
  const Ended result = run(program, words, seconds(30), folder);
  EXPECT_EQ(result.code, code) << program << ": " << culprit << ": " << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find(culprit), std::string::npos) << culprit << ": " << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_EQ(result.err.rfind(program + ": ", 0), 0U) << result.err;
}

std::vector<std::string> client_words(std::size_t index, const std::string& value) {
  std::vector<std::string> words = {
      "127.0.0.1", std::to_string(unused_port()), GRADMILL_LETTERS, "3", "75", "24", "0.0001"};
  words[index] = value;
  return words;
}

TEST(BadInput, ClientNumbers) {
  const std::vector<std::string> names = {
      "", "<coordinator_port>", "", "<rounds>", "<epochs>", "<h>", "<eta>"};
  for (const std::size_t index : {1U, 3U, 4U, 5U, 6U}) {
    for (const char* const value : {"abc", "-1", "0", "1e99", "", "nan"}) {
      if (index == 6 && std::string(value) == "1e99") {
        continue;  // A step size like any other.
      }
      expect_refused("client", client_words(index, value), names[index]);
    }
  }
}

TEST(BadInput, ClientOptionsAndArguments) {
  const std::vector<std::string> good = client_words(3, "3");
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = good;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  expect_refused("client", {}, "<coordinator_ip> is missing");
  expect_refused("client", {good.begin(), good.end() - 1}, "<eta> is missing");
  expect_refused("client", with({"more"}), "more");
  expect_refused("client", with({"--what"}), "--what");
  expect_refused("client", with({"--precision", "half"}), "--precision: 'half'");
  expect_refused("client", with({"--activation", "gelu"}), "--activation: 'gelu'");
  expect_refused("client", with({"--optimizer", "lion"}), "--optimizer: 'lion'");
  expect_refused("client", with({"--preset", "best"}), "--preset: 'best'");
  expect_refused("client", with({"--server-optimizer", "sgd"}), "--server-optimizer: 'sgd'");
  expect_refused("client", with({"--early-stop", "0"}), "--early-stop: '0'");
  expect_refused("client", with({"--seed", "-1"}), "--seed: '-1'");
  expect_refused("client", with({"--min-loss-change", "nan"}), "--min-loss-change: 'nan'");
  expect_refused("client", with({"--classes", "0"}), "--classes: '0'");
  expect_refused("client", with({"--classes", "20"}), "train_letters1.txt:");
  expect_refused("client", with({"--format", "xml"}), "--format: 'xml'");
  expect_refused("client", with({"--output", "/nonexistent/m"}), "/nonexistent/m");
  expect_refused(
      "client", with({"--output", "m.pt"}), "--output: m.pt: a model's file ends in .saf");
  expect_refused(
      "client", with({"--init-from", "m.pt"}), "m.pt: a model's file ends in .safetensors");
  expect_refused("client", with({"--init-from", "m.onnx"}), "m.onnx: ONNX is only written");
  expect_refused("client", with({"--timing", "/nonexistent/t"}), "/nonexistent/t");
  expect_refused("client", with({"--init-from", "/nonexistent/m.npz"}), "/nonexistent/m.npz");
}

TEST(BadInput, ClientRecipes) {
  const auto with = [](const std::string& hidden, const std::vector<std::string>& more) {
    std::vector<std::string> words = client_words(5, hidden);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::vector<std::string> sgd = {"--optimizer", "sgd"};
  const auto with_sgd = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = with("24", sgd);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  expect_refused("client", with_sgd({"--batch-size", "0"}), "--batch-size: '0'");
  expect_refused("client", with_sgd({"--schedule", "linear"}), "--schedule: 'linear'");
  expect_refused("client", with_sgd({"--label-smoothing", "1"}), "--label-smoothing: '1'");
  expect_refused("client", with_sgd({"--weight-decay", "-1"}), "--weight-decay: '-1'");
  expect_refused(
      "client", with_sgd({"--momentum", "0.9"}), "--momentum does not go with --optimizer sgd");
  expect_refused("client",
                 with_sgd({"--min-loss-change", "0"}),
                 "--min-loss-change does not go with --optimizer sgd");
  expect_refused(
      "client", with("24", {"--batch-size", "16"}), "--batch-size does not go with --optimizer gd");
  expect_refused("client",
                 with("24", {"--server-momentum", "0.9"}),
                 "--server-momentum does not go with --server-optimizer average");
  std::string deep = "1";
  for (int layer = 1; layer < 64; ++layer) {
    deep += ",1";
  }
  expect_refused("client", with(deep, {}), "<h>: '1,1,");
  expect_refused("client", with("24,65537", {}), "<h>: '24,65537'");
  expect_refused("client", with("65536,65536", {}), "more than 100000000 parameters");
  expect_refused("client", with("8,8", {"--activation", "ml-py"}), "ml-py is for one hidden layer");
}

TEST(BadInput, CoordinatorUnreachable) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> words = client_words(3, "3");
  expect_refused("client", words, "127.0.0.1:" + words[1], ".", 4);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
}

TEST(BadInput, AnOutputThatCannotBeWrittenIsNoSuccess) {
  const std::string client = command("client", {}).front();
  Process full({"/bin/sh", "-c", "exec \"$0\" --help > /dev/full", client});
  EXPECT_EQ(full.wait(seconds(10)), 1);
  EXPECT_EQ(full.err(),
            "client: the output could not be written: nobody reads it, or its disk is full\n");
}

TEST(BadInput, ServerArguments) {
  expect_refused("compute_node", {}, "<port> is missing");
  expect_refused("compute_node", {"0"}, "<load_probability> is missing");
  for (const char* const value : {"abc", "-0.1", "1.1", "nan", "inf", "1e99", ""}) {
    expect_refused("compute_node", {"0", value}, "<load_probability>");
  }
  for (const char* const value : {"abc", "-1", "65536", "1e99", "", "nan"}) {
    expect_refused("compute_node", {value, "0"}, "<port>");
    expect_refused("coordinator", {value, "random"}, "<port>");
  }
  expect_refused("compute_node", {"0", "0", "--threads", "0"}, "--threads: '0'");
  expect_refused("compute_node", {"0", "0", "--slots", "0"}, "--slots: '0'");
  expect_refused("compute_node", {"0", "0", "--load-delay", "3"}, "--load-delay: '3'");
  expect_refused("compute_node", {"0", "0", "--cache-bytes", "-5"}, "--cache-bytes: '-5'");
  expect_refused("compute_node", {"0", "0", "--log-format", "xml"}, "--log-format: 'xml'");
  expect_refused("compute_node", {"0", "0", "--join", "a:1,a:b"}, "--join: 'a:b'");
  expect_refused("compute_node", {"0", "0", "--join", "a:1,a:1"}, "--join: 'a:1'");
  expect_refused("compute_node", {"0", "0", "--advertise", "h"}, "without --join");
  expect_refused("compute_node", {"0", "0", "--join", "a:1", "--host", "0.0.0.0"}, "--advertise");
  expect_refused("compute_node", {"0", "0", "--host", "no.such.host.invalid"}, "no.such.host");
  expect_refused("coordinator", {"0", "fastest"}, "'fastest'");
  expect_refused("coordinator", {"0", "4"}, "'4'");
}

TEST(BadInput, KernelsThatDoNotRunHere) {
  Process node(
      with({"/usr/bin/env", "GRADMILL_KERNEL=abacus"}, command("compute_node", {"0", "0"})));
  EXPECT_EQ(node.wait(seconds(10)), 2);
  const std::string line =
      "compute_node: GRADMILL_KERNEL: this machine cannot run 'abacus'; it runs: ";
  EXPECT_EQ(node.err().rfind(line, 0), 0U) << node.err();
  EXPECT_GT(node.err().size(), line.size() + 1);
}

TEST(BadInput, PortInUse) {
  Process node(command("compute_node", {"0", "0"}));
  const std::string port = std::to_string(announced_port(node));
  expect_refused("compute_node", {port, "0"}, "127.0.0.1:" + port);
  const Folder folder;
  folder.write("compute_nodes.txt", "127.0.0.1," + port + "\n");
  expect_refused("coordinator", {port, "random"}, "127.0.0.1:" + port, folder.path());
}

TEST(BadInput, NodeLists) {
  const Folder folder;
  expect_refused("coordinator", {"0", "1", "--nodes", "none.txt"}, "none.txt", folder.path());
  folder.write("empty.txt", "# nobody\n\n");
  expect_refused("coordinator", {"0", "1", "--nodes", "empty.txt"}, "empty.txt", folder.path());
  folder.write("bad.txt", "127.0.0.1,9000\nfoo\n");
  expect_refused("coordinator", {"0", "1", "--nodes", "bad.txt"}, "bad.txt:2", folder.path());
  folder.write("long.txt", std::string(1'000'000, '1') + ",9001\n");
  expect_refused("coordinator", {"0", "1", "--nodes", "long.txt"}, "long.txt:1", folder.path());
  std::string many;
  for (int node = 1; node <= 10'001; ++node) {
    many += "127.0.0.1," + std::to_string(node) + "\n";
  }
  folder.write("many.txt", many);
  expect_refused("coordinator",
                 {"0", "1", "--nodes", "many.txt"},
                 "many.txt: names 10001 nodes; a coordinator has at most 4096",
                 folder.path());
}

TEST(BadInput, DataFolders) {
  const auto refused = [](const std::vector<std::pair<std::string, std::string>>& files,
                          const std::string& culprit) {
    const Folder folder;
    for (const auto& [name, content] : files) {
      folder.write(name, content);
    }
    expect_refused("client", client_words(2, folder.path()), culprit);
  };
  expect_refused("client", client_words(2, "/nonexistent"), "/nonexistent");
  refused({}, "train_*.txt");
  refused({{"train_1.txt", "1,2,0\n"}}, "validate_*.txt");
  refused({{"validate_1.txt", "1,2,0\n"}}, "train_*.txt");
  const std::pair<std::string, std::string> validate = {"validate_1.txt", "1,2,0\n"};
  refused({{"train_1.txt", ""}, validate}, "train_1.txt");
  refused({{"train_1.txt", "1,2,0\n1,0\n"}, validate}, "train_1.txt:2");
  refused({{"train_1.txt", "1,2,0\n1,x,0\n"}, validate}, "train_1.txt:2");
  refused({{"train_1.txt", "1,nan,0\n"}, validate}, "train_1.txt:1");
  refused({{"train_1.txt", "1,inf,0\n"}, validate}, "train_1.txt:1");
  refused({{"train_1.txt", "1,2,-1\n"}, validate}, "train_1.txt:1");
  refused({{"train_1.txt", "1,2,0.5\n"}, validate}, "train_1.txt:1");
  refused({{"train_1.txt", "1,2,0\n"}, {"train_2.txt", "1,2,3,0\n"}, validate}, "train_2.txt:1");
  refused({{"train_1.txt", "1,2,0\n"}, {"validate_1.txt", "1,2,3,0\n"}}, "validate_1.txt:1");
  refused({{"train_1.txt", "1,2,0\n"}, {"validate_1.txt", "1,2,7\n"}}, "validate_1.txt:1");
}

TEST(BadInput, DataThatIsNoRegularFile) {
  const Folder folder;
  folder.write("validate_1.txt", "1,2,0\n");
  const std::string train = folder.path("train_1.txt");
  const auto words = client_words(2, folder.path());
  ASSERT_EQ(::mkfifo(train.c_str(), S_IRUSR | S_IWUSR), 0);
  expect_refused("client", words, "train_1.txt");
  std::filesystem::remove(train);
  std::filesystem::create_directory(train);
  expect_refused("client", words, "train_1.txt");
  std::filesystem::remove(train);
  std::filesystem::create_symlink("/dev/zero", train);
  expect_refused("client", words, "train_1.txt");
}

TEST(BadInput, DataThatMayNotBeRead) {
  const Folder folder;
  folder.write("train_1.txt", "1,2,0\n");
  folder.write("validate_1.txt", "1,2,0\n");
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::filesystem::permissions(folder.path("train_1.txt"), std::filesystem::perms::none);
  const Ended result = Unprivileged().run("client", client_words(2, folder.path()));
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("train_1.txt"), std::string::npos) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST(Help, NamesEveryProgramAndVersion) {
  for (const char* const program : {"client", "coordinator", "compute_node"}) {
    const Ended help = run(program, {"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("usage: "), std::string::npos);
    EXPECT_EQ(run(program, {"--version"}).code, 0);
  }
}

void send_and_close(std::uint16_t port, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  ::shutdown(fd, SHUT_WR);
  char byte = 0;
  while (::recv(fd, &byte, 1, 0) > 0) {
  }
  ::close(fd);
}

std::size_t resident_bytes(int pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(HostileBytes, CostTheServersNothing) {
  Cluster cluster;
  const std::string before = hash_of(cluster.train(short_job()));
  const std::string hello("\x80\x01\x00\x01\x00\x00\x00\x05hello\x00\x00\x00\x00\x00", 18);
  const std::vector<std::string> attacks = {
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      std::string("\x7f\xff\xff\xff", 4) + hello,
      std::string("\xff\xff\xff\xff", 4) + hello,
      std::string("\x00\x00\x00\x40", 4) + hello,                    // a frame that is cut off
      hello,                                                         // unframed
      std::string("\x00\x00\x00\x0a\x82\x21\x01\x05hello\x00", 14),  // compact
      std::string(4096, '\xa5'),
  };
  const std::size_t resident = resident_bytes(cluster.coordinator().pid());
  for (int repeat = 0; repeat < 20; ++repeat) {
    for (const std::string& attack : attacks) {
      send_and_close(cluster.port(), attack);
      send_and_close(cluster.node_port(0), attack);
    }
  }
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(resident_bytes(cluster.coordinator().pid()), resident + (20U << 20U));
#else
  static_cast<void>(resident);
#endif
  EXPECT_EQ(hash_of(cluster.train(short_job())), before);
}

}  // namespace
}  // namespace gradmill::system_test
