#include "chaos/network_namespace.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "system/process.h"

namespace gradmill::chaos {

namespace {

using system_test::Ended;
using system_test::Process;

const std::string kPrefix = "gradmill-chaos-";

Ended ip(const std::string& words) {
  std::vector<std::string> command = {"/usr/bin/env", "ip"};
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    command.push_back(word);
  }
  Process process(command);
  const int code = process.wait(std::chrono::seconds(10));
  return {code, process.out(), process.err()};
}

void must_ip(const std::string& words) {
  const Ended ended = ip(words);
  if (ended.code != 0) {
    throw std::runtime_error("ip " + words + ": " + ended.err);
  }
}

void remove_leftovers(const std::string& list) {
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(0, line.find(' '));
    if (name.starts_with(kPrefix) &&
        !std::filesystem::exists("/proc/" + name.substr(kPrefix.size()))) {
      static_cast<void>(ip("netns del " + name));
    }
  }
}

}  // namespace

bool NetworkNamespace::possible() {
  if (::geteuid() != 0) {
    return false;
  }
  const Ended list = ip("netns list");
  if (list.code != 0) {
    return false;
  }
  remove_leftovers(list.out);
  try {
    const NetworkNamespace trial;
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

NetworkNamespace::NetworkNamespace() {
  const auto pid = static_cast<unsigned>(::getpid());
  name_ = kPrefix + std::to_string(pid);
  interface_ = "gmc" + std::to_string(pid) + "o";
  const std::string inner = "gmc" + std::to_string(pid) + "i";
  // A small network for each process.
  const unsigned part = pid % (256 * 64);
  const std::string net = "10.213." + std::to_string(part / 64) + ".";
  const std::string outer_address = net + std::to_string(part % 64 * 4 + 1) + "/30";
  address_ = net + std::to_string(part % 64 * 4 + 2);
  must_ip("netns add " + name_);
  try {
    must_ip("link add " + interface_ + " type veth peer name " + inner + " netns " + name_);
    must_ip("addr add " + outer_address + " dev " + interface_);
    must_ip("link set " + interface_ + " up");
    must_ip("-n " + name_ + " addr add " + address_ + "/30 dev " + inner);
    must_ip("-n " + name_ + " link set " + inner + " up");
    must_ip("-n " + name_ + " link set lo up");
  } catch (const std::runtime_error&) {
    static_cast<void>(ip("netns del " + name_));
    throw;
  }
}

NetworkNamespace::~NetworkNamespace() {
  // The outer interface first: the namespace lives for as long as anything in it does.
  static_cast<void>(ip("link del " + interface_));
  static_cast<void>(ip("netns del " + name_));
}

std::vector<std::string> NetworkNamespace::inside(const std::vector<std::string>& command) const {
  std::vector<std::string> words = {"/usr/bin/env", "ip", "netns", "exec", name_};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void NetworkNamespace::set_link(bool up) const {
  must_ip("link set " + interface_ + (up ? " up" : " down"));
}

}  // namespace gradmill::chaos
