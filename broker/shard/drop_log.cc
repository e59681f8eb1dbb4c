#include "broker/shard/drop_log.h"

#include <algorithm>

#include "broker/shard/heap_bytes.h"

namespace sluice::shard {
namespace {

std::size_t text_bytes(const DropRecord& record) noexcept {
  return heap_bytes(record.subscription) + heap_bytes(record.client) + heap_bytes(record.topic) +
         heap_bytes(record.publisher);
}

}  // namespace

const DropRecord* DropLog::find(std::uint64_t number) const {
  if (number < oldest() || number > added_) return nullptr;
  return &records_[(number - 1) % max_];
}

bool DropLog::try_grow(std::uint64_t newest, const DropKey& key, const DropCount& lost,
                       base::MonotonicTime now) {
  for (std::size_t i = 0; i < kMaxLook && newest != 0; ++i) {
    const DropRecord* known = find(newest);
    if (known == nullptr || !grows(*known, now)) return false;
    newest = known->previous;
    if (!(known->key == key)) continue;
    DropRecord& record = records_[(known->number - 1) % max_];
    record.lost.first = std::min(record.lost.first, lost.first);
    record.lost.last = std::max(record.lost.last, lost.last);
    record.lost.count += lost.count;
    record.lost.bytes += lost.bytes;
    record.last_at = now;
    return true;
  }
  return false;
}

std::uint64_t DropLog::add(DropRecord&& record, std::uint64_t newest, base::MonotonicTime now) {
  if (max_ == 0) return 0;
  record.number = ++added_;
  record.previous = newest;
  record.began = record.last_at = now;
  const std::size_t at = (added_ - 1) % max_;
  if (records_.size() < max_) {
    records_.push_back(std::move(record));
  } else {
    text_bytes_ -= text_bytes(records_[at]);
    records_[at] = std::move(record);
  }
  text_bytes_ += text_bytes(records_[at]);
  return added_;
}

}  // namespace sluice::shard
