// State folders that are in use, of a newer version, damaged, forbidden or full.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/checksum.h"
#include "mounts/small_file_system.h"
#include "system/cluster.h"
#include "system/unprivileged.h"

namespace gradmill::system_test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void flip_a_byte(const std::string& path) {
  std::string content = read(path);
  ASSERT_FALSE(content.empty()) << path;
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 0x10);
  replace(path, content);
}

void cut_in_half(const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); }

/// Refused with exit code 2 and one line that names --state-dir and the culprit.
void expect_refused(const Ended& start, const std::string& culprit) {
  EXPECT_EQ(start.code, 2) << start.err;
  EXPECT_NE(start.err.find(culprit), std::string::npos) << culprit << ": " << start.err;
  EXPECT_NE(start.err.find("--state-dir"), std::string::npos) << start.err;
  EXPECT_EQ(std::count(start.err.begin(), start.err.end(), '\n'), 1) << start.err;
}

Ended start_on(const std::string& folder) {
  return run("coordinator", {"0", "random", "--state-dir", folder}, seconds(10), "/");
}

TEST(StateFolder, IsForOneCoordinatorAtATime) {
  Cluster cluster;
  expect_refused(start_on(cluster.state_folder()),
                 "process " + std::to_string(cluster.coordinator().pid()));
  EXPECT_EQ(hash_of(cluster.train(short_job())).size(), 64U);
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.ask({"job", "list"}).size(), 1U) << "its own lock is no hindrance";
}

/// A folder that a coordinator has been stopped on.
void use(const std::string& folder) {
  Process coordinator(command("coordinator", {"0", "random", "--state-dir", folder}), "/");
  ASSERT_NE(announced_port(coordinator), 0) << coordinator.err();
  coordinator.signal(SIGTERM);
  ASSERT_EQ(coordinator.wait(seconds(10)), 0);
}

/// Writes `number` over the bytes of a sealed file from `at` on.
void put(std::string& bytes, std::size_t at, std::uint64_t number) {
  bytes.replace(at, sizeof number, reinterpret_cast<const char*>(&number), sizeof number);
}

TEST(StateFolder, OfANewerVersionIsRefusedAndLeftAsItIs) {
  const Folder folder;
  const std::string state = folder.path("state");
  use(state);
  std::string identity = read(state + "/identity");
  const std::size_t format = identity.find("\"format\":1");
  ASSERT_NE(format, std::string::npos);
  identity[format + 9] = '9';
  // Magic, kind, sections and commit; then size and sum of the section, and the sum of all that.
  constexpr std::size_t kSum = 8 + 4 + 4 + 8 + 8;
  put(identity, kSum, checksum(std::string_view(identity).substr(kSum + 16)));
  put(identity, kSum + 8, checksum(std::string_view(identity).substr(0, kSum + 8)));
  replace(state + "/identity", identity);
  const std::string database = read(state + "/gradmill.db");
  expect_refused(start_on(state), "is of format 9");
  EXPECT_EQ(read(state + "/identity"), identity);
  EXPECT_EQ(read(state + "/gradmill.db"), database);
}

TEST(StateFolder, ThatMayNotBeWrittenToIsRefused) {
  const Unprivileged user;
  const auto start = [&](const std::string& state) {
    return user.run("coordinator", {"0", "random", "--state-dir", state});
  };
  const Folder folder;
  fs::permissions(folder.path(), fs::perms::all);
  const std::string own = folder.path("own");
  fs::create_directory(own);
  user.own(own);
  fs::permissions(own, fs::perms::owner_read | fs::perms::owner_exec);
  expect_refused(start(own), "cannot be written to");
  expect_refused(start("/usr/lib"), "belongs to user 0");
  expect_refused(start("/usr/lib/deeper"), "cannot be made");
  expect_refused(start_on("/proc/version"), "is not a folder");
}

/// A job that was paused in the middle, with its coordinator stopped.
class Damaged : public testing::Test {
 protected:
  void SetUp() override {
    undisturbed_ = hash_of(cluster_.train(with(many_rounds(), {"--id", "whole"})));
    ASSERT_EQ(undisturbed_.size(), 64U) << undisturbed_;
    client_.emplace(command("client", with(cluster_.train_words(many_rounds()), {"--id", "half"})));
    ASSERT_TRUE(client_->says("round 5/", seconds(60))) << client_->err();
    cluster_.coordinator().signal(SIGTERM);
    ASSERT_EQ(cluster_.coordinator().wait(seconds(10)), 0);
    for (const auto& folder : fs::directory_iterator(cluster_.state_folder() + "/jobs")) {
      if (folder.path().string().ends_with("-half")) {
        job_ = folder.path();
      }
    }
    ASSERT_FALSE(job_.empty());
  }

  [[nodiscard]] std::string newest_weights() const {
    std::string newest;
    long round = -1;
    for (const auto& file : fs::directory_iterator(job_)) {
      const std::string name = file.path().filename();
      const long number = name.starts_with("weights-") ? std::atol(name.c_str() + 8) : -1;
      if (number > round) {
        round = number;
        newest = file.path();
      }
    }
    return newest;
  }

  void expect_told_and_ended(const std::string& note) {
    cluster_.restart_coordinator();
    EXPECT_EQ(finish(*client_), undisturbed_) << client_->err();
    const std::string err = cluster_.coordinator().err();
    EXPECT_NE(err.find("state_repaired"), std::string::npos) << err;
    EXPECT_NE(err.find(note), std::string::npos) << err;
    EXPECT_EQ(hash_of(cluster_.client({"job", "follow", "whole", "--format", "json"})),
              undisturbed_);
  }

  Cluster cluster_;
  std::optional<Process> client_;
  std::string undisturbed_;
  std::string job_;
};

TEST_F(Damaged, NewestWeightsWithAFlippedByteTheOnesBeforeServe) {
  flip_a_byte(newest_weights());
  expect_told_and_ended("job half goes on from");
}

TEST_F(Damaged, NewestWeightsCutShortTheOnesBeforeServe) {
  cut_in_half(newest_weights());
  expect_told_and_ended("job half goes on from");
}

TEST_F(Damaged, DatabaseWithFlippedBytesIsMadeAnew) {
  std::string content = read(cluster_.state_folder() + "/gradmill.db");
  for (std::size_t at = 0; at < content.size(); at += 97) {
    content[at] = static_cast<char>(content[at] ^ 0x55);
  }
  replace(cluster_.state_folder() + "/gradmill.db", content);
  expect_told_and_ended("the database was damaged");
}

TEST_F(Damaged, DatabaseCutShortIsMadeAnew) {
  cut_in_half(cluster_.state_folder() + "/gradmill.db");
  expect_told_and_ended("the database was damaged");
}

TEST_F(Damaged, MissingDatabaseIsMadeAnew) {
  for (const char* const end : {"", "-wal", "-shm"}) {
    fs::remove(cluster_.state_folder() + "/gradmill.db" + end);
  }
  expect_told_and_ended("the database was damaged");
}

TEST_F(Damaged, IdentityIsMadeAnew) {
  flip_a_byte(cluster_.state_folder() + "/identity");
  expect_told_and_ended("identity");
}

/// What a client says of jobs that wait.
std::string message_of(const nlohmann::json& jobs, const std::string& id) {
  for (const auto& job : jobs) {
    if (job["job_id"] == id) {
      return job["message"];
    }
  }
  return "no such job";
}

class FullStateFolder : public testing::Test {
 protected:
  void SetUp() override {
    if (!small_.mounted()) {
      GTEST_SKIP() << "cannot mount a tmpfs here";
    }
    Cluster::Options options;
    options.coordinator_options = {"--max-running-jobs", "1"};
    cluster_.emplace(options);
    undisturbed_ = hash_of(cluster_->train(job_));
    cluster_->use_state_folder(folder_.path("small/state"));
    cluster_->restart_coordinator();
  }
  void start_job(const std::string& id) {
    client_.emplace(command("client", with(cluster_->train_words(job_), {"--id", id})));
    ASSERT_TRUE(client_->says("round 2/", seconds(60))) << client_->err();
  }

  /// Long enough to be met in the middle by what a test does first.
  static std::vector<std::string> long_rounds() {
    std::vector<std::string> words = many_rounds();
    words[1] = "400";
    return words;
  }

  const std::vector<std::string> job_ = long_rounds();
  const Folder folder_;
  const mounts::SmallFileSystem small_{folder_.path("small"), "8m"};
  std::optional<Cluster> cluster_;
  std::optional<Process> client_;
  std::string undisturbed_;
};

TEST_F(FullStateFolder, TheJobWaitsWithANoticeAndEndsOnceThereIsRoom) {
  start_job("job");
  small_.fill();
  EXPECT_TRUE(client_->says("has no room (No space left on device)", seconds(20)))
      << client_->err();
  EXPECT_EQ(client_->err().find(folder_.path()), std::string::npos) << "paths are for the log";
  EXPECT_TRUE(cluster_->coordinator().says("store_failed", seconds(5)))
      << cluster_->coordinator().err();
  EXPECT_EQ(client_->wait(std::chrono::milliseconds(0)), -1) << client_->err();
  EXPECT_NE(message_of(cluster_->ask({"job", "list"}), "job").find("client gc"), std::string::npos);
  small_.make_room();
  EXPECT_EQ(finish(*client_), undisturbed_) << client_->err();
  EXPECT_TRUE(cluster_->coordinator().says("store_recovered", seconds(5)));
}

TEST_F(FullStateFolder, JobsCanBeCancelledAndDeletedAlsoAfterARestart) {
  for (const char* const id : {"old", "older"}) {
    ASSERT_EQ(hash_of(cluster_->train(with(short_job(), {"--id", id}))).size(), 64U);
  }
  start_job("job");
  Process queued(command("client", with(cluster_->train_words(short_job()), {"--id", "queued"})));
  ASSERT_TRUE(eventually([&] { return cluster_->ask({"job", "list"}).size() == 4; }));
  small_.fill();
  ASSERT_TRUE(client_->says("has no room", seconds(20))) << client_->err();
  const Ended refused = cluster_->train(with(short_job(), {"--id", "new"}));
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_NE(refused.err.find("has no room"), std::string::npos) << refused.err;

  cluster_->restart_coordinator();
  small_.fill();
  const Ended cancelled = cluster_->client({"job", "cancel", "queued"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_EQ(queued.wait(seconds(10)), 3) << queued.err();
  small_.fill();
  const Ended deleted = cluster_->client({"job", "delete", "old"});
  EXPECT_EQ(deleted.code, 0) << deleted.err;
  small_.fill();
  const Ended garbage = cluster_->client({"gc", "--keep-jobs", "0", "--format", "json"});
  EXPECT_EQ(garbage.code, 0) << garbage.err;
  const auto left = cluster_->ask({"job", "list"});
  EXPECT_EQ(left.size(), 1U) << left << garbage.out;
  small_.make_room();
  EXPECT_EQ(finish(*client_), undisturbed_) << client_->err();
}

TEST(StateFolder, ThatIsDeletedUnderARunningCoordinatorIsNoticed) {
  Cluster cluster;
  Process client(command("client", with(cluster.train_words(many_rounds()), {"--id", "job"})));
  ASSERT_TRUE(client.says("round 2/", seconds(60))) << client.err();
  ASSERT_TRUE(eventually([&] {
    std::error_code moved;  // The coordinator renames its files meanwhile.
    fs::remove_all(cluster.state_folder(), moved);
    return !fs::exists(cluster.state_folder());
  }));
  EXPECT_TRUE(client.says("is gone, or was replaced: restart the coordinator", seconds(20)))
      << client.err();
  EXPECT_TRUE(cluster.coordinator().says("store_failed", seconds(5)));
  EXPECT_NE(message_of(cluster.ask({"job", "list"}), "job").find("is gone"), std::string::npos);
  cluster.coordinator().signal(SIGTERM);
  EXPECT_EQ(cluster.coordinator().wait(seconds(10)), 0) << cluster.coordinator().err();
  EXPECT_FALSE(fs::exists(cluster.state_folder()));
}

/// Bounds the files that a process writes, as `ulimit -S -f` does.
void limit_files(const Process& process, rlim_t bytes) {
  rlimit limit{};
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

TEST(FileSizeLimit, IsMetAsAFullDiskIs) {
  const std::string hash = hash_of(Cluster().train(many_rounds()));
  Cluster cluster;
  Process job(command("client", cluster.train_words(many_rounds())));
  ASSERT_TRUE(job.says("round 3/", seconds(60))) << job.err();
  limit_files(cluster.coordinator(), 4096);
  EXPECT_TRUE(cluster.coordinator().says("store_failed: the state folder ", seconds(20)));
  const Ended refused = cluster.train(short_job());
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_NE(refused.err.find(
                "the state folder has no room (File too large): raise the limit of ulimit -f"),
            std::string::npos)
      << refused.err;
  limit_files(cluster.coordinator(), RLIM_INFINITY);
  EXPECT_EQ(finish(job), hash) << job.err() << cluster.coordinator().err();
}

}  // namespace
}  // namespace gradmill::system_test
