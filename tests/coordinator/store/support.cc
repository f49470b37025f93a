#include "coordinator/store/support.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/texts/model_texts.h"
#include "coordinator/store/texts/prediction_texts.h"
#include "coordinator/store/texts/stored_texts.h"
#include "ml/topology.h"

namespace gradmill::coordinator {
namespace {

Blob weights(std::uint32_t round) {
  return make_blob(
      std::string(ml::parameter_count({{2, 3, 2}}) * 4, static_cast<char>('a' + round % 26)));
}

std::string text_of(const Blob& blob) {
  return blob.ref.digest.hex() + " " + (blob.bytes ? *blob.bytes : "-") + "\n";
}

}  // namespace

StateFolder::StateFolder() {
  // In memory where there is such a place: the tests sync thousands of files.
  const bool in_memory = ::access("/dev/shm", W_OK | X_OK) == 0;
  std::string name =
      (in_memory ? std::string("/dev/shm/") : testing::TempDir()) + "state_folder_test.XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
}

StateFolder::~StateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void StateFolder::commit(const std::vector<Record>& records) {
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  EXPECT_THAT(state.notes, testing::IsEmpty());
  store->commit(records);
}

std::string StateFolder::job_folder(const std::string& job) const {
  std::string found;
  for (const std::string& name : names_in(at("jobs"))) {
    if (name.substr(name.find('-') + 1) == job) {
      EXPECT_EQ(found, "");
      found = at("jobs/" + name);
    }
  }
  return found;
}

void put(const std::string& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string content(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

JobSpecification specification(std::uint64_t seed) {
  JobSpecification job;
  job.rule.topology.units = {2, 3, 2};
  job.rule.optimizer = ml::Optimizer::kAdam;
  job.rule.eta = 0.1;
  job.rule.steps_per_round = 7;
  job.rule.batch_size = 3;
  job.rule.schedule = ml::Schedule::kOneCycle;
  job.rule.seed = seed;
  job.rule.standardization = {{0.25, -1e-300}, {1.0 / 3, 2}};
  job.server = {ml::ServerOptimizer::kMomentum, 0.7, 0.9};
  job.rounds = 100;
  job.validate_every = 2;
  job.early_stop = 5;
  job.quorum = 1;
  job.round_deadline = std::chrono::milliseconds(1500);
  const std::vector<Blob> all = blobs();
  job.shards = {all[0].ref, all[1].ref};
  job.validation = {all[2].ref};
  job.initial_weights = all[3].ref;
  return job;
}

std::vector<Blob> blobs() {
  return {make_blob("shard one"), make_blob("shard two"), make_blob("validation"), weights(0)};
}

JobAdded added(const std::string& job, std::uint64_t seed) {
  return {job,
          std::make_shared<const JobSpecification>(specification(seed)),
          {10, 20},
          weights(0),
          blobs(),
          1234567890123,
          {.priority = -3, .weight = 7}};
}

RoundFinished finished(const std::string& job, std::uint32_t round) {
  RoundFinished record;
  record.job = job;
  record.report = {round, 1.0 / round, 0.1 * round, 0.01, 0.001, {}, {1}};
  record.report.tasks = {{0, "node:1", 0.1, 0.2, 0.3, 4, 5.5 / round, 1},
                         {1, "node:2", 0.3, 0.2, 0.1, 4, 6.5 / round, 2}};
  Checkpoint& checkpoint = record.checkpoint;
  checkpoint.round = round;
  checkpoint.weights = weights(round);
  ml::ServerState server;
  server.first.assign(ml::parameter_count({{2, 3, 2}}), 1.0 / 3 + round);
  checkpoint.server = std::make_shared<const ml::ServerState>(std::move(server));
  checkpoint.best_round = round % 2 == 0 ? round - 1 : round;
  checkpoint.best_error = 1.0 / checkpoint.best_round;
  checkpoint.best_weights = weights(checkpoint.best_round);
  checkpoint.exact = round < 3;
  record.tallies = {{"node:1", {round, 2, 3}}, {"node:2", {round, 0, 0}}};
  return record;
}

QueryStatistics statistics() {
  return {.queries = 11,
          .rows = 440,
          .seconds = 1.25,
          .queue = {0.5, 0.25, 0.125, 1, 2, 3},
          .compute = {1e-9, 1e-10, 1e-9, 2e-9, 3e-9, 4e-9},
          .total = {4, 5, 6, 7, 8, 1e9}};
}

JobMoved ended(const std::string& job) {
  return {job,
          JobState::kSucceeded,
          {"succeeded", "a \"sentence\"\nand \xFF"},
          99,
          {{"node:1", {7, 8, 9}}},
          statistics()};
}

JobMoved moved(const std::string& job, JobState state) { return {job, state, {}, 0, {}}; }

JobAdded predicting(const std::string& job) {
  const std::vector<Blob> all = blobs();
  JobAdded record;
  record.job = job;
  record.weights = make_blob("file 3 of letters");
  JobSpecification specification;
  specification.shards = {all[0].ref, all[1].ref};
  PredictionPlan& plan = specification.prediction.emplace();
  plan.model = {"letters", 3, record.weights.ref, 2, {"zero", "\xC3\xA4 \"\n\t"}};
  plan.batch_rows = 8;
  plan.labelled = true;
  record.specification = std::make_shared<const JobSpecification>(std::move(specification));
  record.shard_rows = {10, 20};
  record.blobs = {all[0], all[1]};
  record.submitted_ms = 1234567890123;
  return record;
}

RowsPredicted predicted(const std::string& job, std::uint64_t first_row, std::uint64_t rows) {
  RowsPredicted record;
  record.job = job;
  record.range.first_row = first_row;
  record.range.rows = rows;
  record.range.wrong = 1;
  record.range.predictions =
      make_blob(std::string(6 * rows, static_cast<char>('a' + first_row % 26)));
  record.tallies = {{"node:1", {first_row + rows, 2, 3}}};
  return record;
}

ModelAdded registered(const std::string& model, std::uint32_t version) {
  ModelAdded record;
  record.file = make_blob("file " + std::to_string(version) + " of " + model);
  record.version.model = model;
  record.version.version = version;
  record.version.file = record.file.ref;
  record.version.parameters = sha256("parameters");
  record.version.topology.units = {2, 3, 2};
  record.version.activation = ml::Activation::kTanh;
  record.version.precision = ml::Precision::kDouble;
  record.version.standardized = true;
  record.version.labels = {"zero", "\xC3\xA4"};
  record.version.lineage = {.job = "a",
                            .job_digest = sha256("job"),
                            .data_digest = sha256("data"),
                            .rule = {{"optimizer", "adam"}, {"eta", "0.1"}},
                            .seed = UINT64_MAX,
                            .round = 3,
                            .errors = {{1, 0.5}, {3, 1.0 / 3}},
                            .validation_error = 1.0 / 3,
                            .confusion = Confusion{2, {{0, 0, 5}, {1, 0, 1}}}};
  record.version.created_ms = 1234567890123;
  return record;
}

ModelAliases aliased(const std::string& model, std::uint32_t champion) {
  return {model, champion, {{7, "champion", 0, champion, AliasChange::kForced}}};
}

JobLogged logged(const std::string& job, std::uint64_t sequence) {
  JobEvent event;
  event.sequence = sequence;
  event.time_ms = 5;
  event.warning = sequence % 2 == 0;
  event.event = "task_failed";
  event.round = 3;
  event.attempt = 1ULL << 63U;
  event.node = "node:1";
  event.reason = "connection_lost";
  event.message = "it's gone";
  return {job, event};
}

std::string describe(const StoredState& state, JobStore& store) {
  std::ostringstream text;
  for (const StoredJob& job : state.jobs) {
    Definition definition{
        0, job.job, job.specification, job.shard_rows, job.submitted_ms, job.share};
    const Checkpoint& at = job.checkpoint;
    EXPECT_NE(at.server, nullptr);
    const Progress progress{job.state,
                            job.end,
                            job.ended_ms,
                            at.round,
                            at.weights.ref,
                            at.best_round,
                            at.best_error,
                            at.best_weights.ref,
                            at.exact,
                            job.tallies,
                            0,
                            job.batch_rows,
                            job.statistics};
    text << coordinator::text_of(definition) << "\n" << coordinator::text_of(progress) << "\n";
    text << text_of(at.weights) << text_of(at.best_weights) << at.server->first.size() << "\n";
    EXPECT_EQ(job.rounds.size(), has_ended(job.state) ? 0 : at.round);
    for (const RoundReport& report : job.rounds) {
      EXPECT_TRUE(report.tasks.empty());
    }
    for (const RoundReport& report : store.rounds(job.job, 0, 1000)) {
      text << coordinator::text_of(report) << "\n";
      text << coordinator::text_of(report.tasks) << "\n";
    }
    for (const PredictedRange& range : job.predicted) {
      EXPECT_EQ(range.predictions.bytes, nullptr);
      const auto bytes = store.predictions(job.job, range.first_row);
      text << coordinator::text_of(range) << (bytes ? *bytes->bytes : " none") << "\n";
    }
    for (const JobEvent& event : store.events(job.job, 0, 1000)) {
      text << coordinator::text_of(event) << "\n";
    }
    const auto result = store.weights(job.job);
    text << "result " << (result ? text_of(*result) : "none\n");
    for (const BlobRef& ref : job.specification->blobs()) {
      const auto blob = store.blob(ref);
      text << "blob " << (blob ? text_of(*blob) : "none\n");
    }
  }
  for (const ModelVersion& version : state.models) {
    const auto file = store.model(version);
    text << coordinator::text_of(NumberedModel{0, version}) << (file ? *file->bytes : "none")
         << "\n";
  }
  for (const ModelAliases& aliases : state.aliases) {
    text << coordinator::text_of(aliases) << "\n";
  }
  for (const StoredNode& node : state.nodes) {
    text << node.address.text() << " " << name_of(node.source) << "\n";
  }
  return text.str();
}

std::string describe(const std::string& path) {
  const auto store = open_state_folder(path);
  const StoredState state = store->load();
  return describe(state, *store);
}

void FaultyFileSystem::step() {
  if (fault_ == Fault::kNone) {
    return;
  }
  if (failed_ && fault_ == Fault::kCrash) {
    throw Crash{};
  }
  if (!failed_ && --left_ == 0) {
    failed_ = true;
    if (fault_ == Fault::kCrash) {
      throw Crash{};
    }
    throw std::system_error(ENOSPC, std::generic_category());
  }
}

void FaultyFileSystem::make_folder(const std::string& path) {
  step();
  real_file_system().make_folder(path);
}

void FaultyFileSystem::write(const std::string& path, std::span<const std::string_view> parts) {
  const bool before = failed_;
  try {
    step();
  } catch (...) {
    if (!before) {
      real_file_system().write(path, parts.first(parts.size() / 2));
    }
    throw;
  }
  real_file_system().write(path, parts);
}

void FaultyFileSystem::sync(std::span<const std::string> paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    step();
    real_file_system().sync(paths.subspan(i, 1));
  }
}

void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  step();
  real_file_system().rename(from, to);
}

void FaultyFileSystem::remove(const std::string& path) {
  step();
  real_file_system().remove(path);
}

void FaultyFileSystem::transact(const std::function<void()>& transaction) {
  step();
  transaction();
  step();
}

}  // namespace gradmill::coordinator
