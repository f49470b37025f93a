#include "compute_node/worker/sample_cache.h"

#include <algorithm>
#include <utility>

#include "formats/shard_blob.h"

namespace gradmill::node {

std::list<SampleCache::Entry>::iterator SampleCache::locate(const Digest& shard,
                                                            std::string_view key) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.shard == shard && entry.key == key;
  });
}

std::shared_ptr<const PreparedShard> SampleCache::find(const Digest& shard,
                                                       const ml::TrainingRule& rule) {
  const std::string key = ml::samples_key(rule);
  const std::lock_guard lock(mutex_);
  const auto found = locate(shard, key);
  if (found == entries_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return entries_.front().prepared;
}

void SampleCache::put(const Digest& shard,
                      const ml::TrainingRule& rule,
                      std::shared_ptr<const PreparedShard> prepared) {
  std::string key = ml::samples_key(rule);
  const std::lock_guard lock(mutex_);
  if (prepared->bytes > bytes_free_of_others() || locate(shard, key) != entries_.end()) {
    return;
  }
  bytes_ += prepared->bytes;
  entries_.push_front({shard, std::move(key), std::move(prepared)});
  shrink();
}

void SampleCache::leave_room_for(std::uint64_t others) {
  const std::lock_guard lock(mutex_);
  others_ = others;
  shrink();
}

std::uint64_t SampleCache::bytes_free_of_others() const {
  return bytes_max_ - std::min(bytes_max_, others_);
}

void SampleCache::shrink() {
  while (bytes_ > bytes_free_of_others()) {
    bytes_ -= entries_.back().prepared->bytes;
    entries_.pop_back();
  }
}

std::uint64_t SampleCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::shared_ptr<const PreparedShard> prepare_shard(std::string_view blob,
                                                   const ml::TrainingRule& rule) {
  const ml::Shard shard = formats::decode_shard(blob);
  auto prepared = std::make_shared<PreparedShard>(
      PreparedShard{ml::prepare_samples(shard, rule), shard.features, shard.classes, 0});
  prepared->bytes = prepared->samples.bytes();
  return prepared;
}

}  // namespace gradmill::node
