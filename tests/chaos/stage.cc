#include "chaos/stage.h"

#include <signal.h>

#include <stdexcept>
#include <utility>

namespace gradmill::chaos {

namespace {

using system_test::Ended;
using system_test::Process;

constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kEnd{30};
constexpr std::chrono::seconds kAsk{2};
constexpr std::uint16_t kPortInNamespace = 9000;

// Links in the order in which they are made.
constexpr std::array kLinkPlaces = {
    Place::kProxiedNode, Place::kJoinedNode, Place::kClient, Place::kJoinLink};

std::size_t index_of(Place place) { return static_cast<std::size_t>(place); }

std::size_t link_of(Place place) {
  for (std::size_t n = 0; n < kLinkPlaces.size(); ++n) {
    if (kLinkPlaces[n] == place) {
      return n;
    }
  }
  throw std::logic_error("no proxy is there: " + std::string(name_of(place)));
}

std::string loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// The option, if the program knows it.
std::vector<std::string> if_known(const std::string& program, const std::string& option) {
  const bool known = system_test::run(program, {"--help"}).out.find(option) != std::string::npos;
  return known ? std::vector<std::string>{option} : std::vector<std::string>{};
}

}  // namespace

Stage::Stage(Options options)
    : options_(std::move(options)),
      fault_option_(if_known("compute_node", "--enable-fault-injection")),
      insecure_option_(if_known("compute_node", "--insecure")),
      proxy_(options_.seed) {
  for (std::size_t n = 0; n < kLinkPlaces.size(); ++n) {
    static_cast<void>(proxy_.add_link());
  }
  proxy_.start();
  if (NetworkNamespace::possible()) {
    namespace_.emplace();
    node_ports_[index_of(Place::kSparedNode)] = kPortInNamespace;
  }
  for (const Place node : {Place::kDirectNode, Place::kProxiedNode, Place::kSparedNode}) {
    start(node);
  }
  write_node_list();
  start(Place::kCoordinator);
  start(Place::kJoinedNode);
}

Stage::~Stage() {
  for (const auto& process : processes_) {
    if (process && process->wait(milliseconds(0)) < 0) {
      process->signal(SIGKILL);
      static_cast<void>(process->wait(kEnd));
    }
  }
}

void Stage::write_node_list() const {
  std::string list;
  for (const Place node : {Place::kDirectNode, Place::kProxiedNode, Place::kSparedNode}) {
    std::string address = this->address(node);
    address[address.rfind(':')] = ',';
    list += address + "\n";
  }
  folder_.write("compute_nodes.txt", list);
}

std::string Stage::address(Place node) const {
  switch (node) {
    case Place::kProxiedNode:
    case Place::kJoinedNode:
      return loopback(proxy_.port(link_of(node)));
    case Place::kSparedNode:
      if (namespace_) {
        return namespace_->address() + ":" + std::to_string(kPortInNamespace);
      }
      break;
    default:
      break;
  }
  return loopback(node_ports_.at(index_of(node)));
}

std::uint16_t Stage::client_port() const { return proxy_.port(link_of(Place::kClient)); }

std::vector<std::string> Stage::command_of(Place place) const {
  if (place == Place::kCoordinator) {
    // Quicker to judge than by default, so that a short run sees much.
    const std::vector<std::string> words = {std::to_string(coordinator_port_),
                                            "load-balancing",
                                            "--state-dir",
                                            folder_.path("state"),
                                            "--heartbeat-interval",
                                            "250ms",
                                            "--suspect-after",
                                            "1s",
                                            "--failed-after",
                                            "2s",
                                            "--keep-jobs",
                                            "20",
                                            "--log-format",
                                            "json"};
    return system_test::command("coordinator", system_test::with(words, fault_option_));
  }
  std::vector<std::string> words = {std::to_string(node_ports_.at(index_of(place))), "0"};
  const auto add = [&](const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  add(fault_option_);
  if (place == Place::kJoinedNode) {
    add({"--join",
         loopback(proxy_.port(link_of(Place::kJoinLink))),
         "--advertise",
         address(place)});
  }
  if (place == Place::kSparedNode) {
    return command_of_spared(std::move(words));
  }
  return system_test::command("compute_node", words);
}

std::vector<std::string> Stage::command_of_spared(std::vector<std::string> words) const {
  if (namespace_) {
    words = system_test::with(words, {"--host", namespace_->address()});
    words = system_test::with(words, insecure_option_);
  }
  words = system_test::command("compute_node", words);
  // Without the noise of the allocator's many arenas a leak shows.
  words = system_test::with({"/usr/bin/env", "MALLOC_ARENA_MAX=1"}, words);
  return namespace_ ? namespace_->inside(words) : words;
}

void Stage::start(Place place) {
  const auto process = std::make_shared<Process>(command_of(place), folder_.path());
  {
    const std::lock_guard lock(mutex_);
    processes_[index_of(place)] = process;
  }
  if (place == Place::kCoordinator && options_.coordinator_started) {
    options_.coordinator_started(process);
  }
  if (!process->says("listening on ", kStart)) {
    throw std::runtime_error(std::string(name_of(place)) + " did not start: " + process->err());
  }
  if (place == Place::kSparedNode && namespace_) {
    return;
  }
  std::uint16_t& port =
      place == Place::kCoordinator ? coordinator_port_ : node_ports_.at(index_of(place));
  if (port != 0) {
    return;
  }
  // From now on others read it, and it stays.
  port = system_test::announced_port(*process);
  if (place == Place::kProxiedNode || place == Place::kJoinedNode) {
    proxy_.set_target(link_of(place), port);
  }
  if (place != Place::kCoordinator) {
    return;
  }
  for (const Place link : {Place::kClient, Place::kJoinLink}) {
    proxy_.set_target(link_of(link), port);
  }
}

void Stage::signal(Place place, int number) {
  const std::lock_guard lock(mutex_);
  processes_[index_of(place)]->signal(number);
}

void Stage::await_end(Place place) {
  std::shared_ptr<Process> process;
  {
    const std::lock_guard lock(mutex_);
    process = processes_[index_of(place)];
  }
  if (process->wait(kEnd) < 0) {
    throw std::runtime_error(std::string(name_of(place)) + " does not end: " + process->err());
  }
}

void Stage::set_link(Place place, const LinkConditions& conditions) {
  proxy_.set(link_of(place), conditions);
}

bool Stage::order_fault(const std::string& verb,
                        Place place,
                        const std::vector<std::string>& words) const {
  const std::string target = place == Place::kCoordinator ? "coordinator" : address(place);
  return ask(system_test::with({"fault", verb, target}, words)).code == 0;
}

Ended Stage::ask(std::vector<std::string> words) const {
  words.insert(words.end(),
               {"--reconnect-timeout", "0s", "--coordinator", loopback(coordinator_port_)});
  return system_test::run("client", words, kAsk);
}

std::vector<Stage::Running> Stage::running() const {
  std::vector<Running> all;
  const std::lock_guard lock(mutex_);
  for (std::size_t n = 0; n < kPlaces; ++n) {
    if (processes_[n]) {
      all.push_back({static_cast<Place>(n), processes_[n]->pid()});
    }
  }
  return all;
}

}  // namespace gradmill::chaos
