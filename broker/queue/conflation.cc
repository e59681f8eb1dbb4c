#include "broker/queue/conflation.h"

namespace sluice::queue {

std::vector<ConflationKey> conflation_keys(const model::Slice& slice, bool by_key) {
  ConflationKey of_topic;
  if (slice.topic) {
    of_topic.topic = slice.topic.slot().value() + 1;
    of_topic.generation = slice.topic.generation();
  }
  std::vector<ConflationKey> keys(slice.count, of_topic);
  if (!by_key) return keys;
  std::vector<std::byte> storage;
  base::ByteView records;
  if (slice.compressed()) {
    const auto unpacked = wire::batch_records(slice.batch.view(), storage);
    if (!unpacked) return keys;
    records = *unpacked;
    records = records.subspan(wire::skip_records(records.data(), slice.first));
  } else {
    records = slice.batch.view().subspan(slice.offset, slice.records);
  }
  for (ConflationKey& key : keys) {
    const base::ByteView bytes = wire::take_record(records).key;
    key.keyed = !bytes.empty();
    key.key.reserve(bytes.size());
    for (const std::byte byte : bytes) key.key.push_back(static_cast<char>(byte));
  }
  return keys;
}

std::uint64_t Conflation::newest(const ConflationKey& key) const {
  const auto it = newest_.find(key);
  return it == newest_.end() ? 0 : it->second;
}

void Conflation::set_newest(const ConflationKey& key, std::uint64_t sequence) {
  const auto [it, fresh] = newest_.try_emplace(key, sequence);
  it->second = sequence;
  if (fresh) key_bytes_ += key.key.size();
}

}  // namespace sluice::queue
