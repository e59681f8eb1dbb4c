#include "broker/topic/topic_registry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "libs/wire/topic_name.h"

namespace sluice::topic {
namespace {

// Estimate of what a shared string costs beside its text: control block, string, two heap blocks.
constexpr std::size_t kNameOverhead = 96;

std::size_t match_bytes(const Match& match) noexcept {
  return match.local.capacity() * sizeof(match.local[0]);
}

}  // namespace

TopicRegistry::TopicRegistry(SubscriptionIndex& index, std::uint32_t max_topics,
                             std::uint64_t hash_seed, std::size_t max_match_bytes)
    : index_(index), max_topics_(max_topics), seed_(hash_seed), max_match_bytes_(max_match_bytes) {
  ASSERT(max_topics > 0 && max_topics < kNone);
  const std::uint32_t never = topics_.take();
  ASSERT(never == 0);
}

base::Result<model::TopicRef> TopicRegistry::intern(std::string_view name) {
  const std::uint32_t hash = hash_text(name, seed_);
  const std::uint32_t known = find(name, hash);
  if (known != kNone) return touch(known);
  if (auto checked = wire::check_topic(name); !checked) return base::fail(checked.error());
  if (!make_room()) {
    return base::fail(base::ErrorCode::kTopicLimit, std::to_string(max_topics_) + " topics");
  }
  return make(std::make_shared<const std::string>(name), hash);
}

model::TopicRef TopicRegistry::intern(const TopicName& name) {
  ASSERT(name != nullptr);
  const std::uint32_t hash = hash_text(*name, seed_);
  const std::uint32_t known = find(*name, hash);
  if (known != kNone) return touch(known);
  static_cast<void>(make_room());
  return make(name, hash);
}

const TopicName& TopicRegistry::name(const model::TopicRef& topic) const noexcept {
  return topic_of(topic).name;
}

model::TopicRef TopicRegistry::find(model::TopicSlot slot, std::uint32_t generation) noexcept {
  if (slot.value() == 0 || slot.value() >= topics_.made()) return {};
  Topic& topic = topics_[slot.value()];
  if (topic.name == nullptr || topic.generation != generation) return {};
  return model::TopicRef(topic);
}

model::TopicRef TopicRegistry::known(std::string_view name) noexcept {
  const std::uint32_t at = find(name, hash_text(name, seed_));
  return at == kNone ? model::TopicRef() : model::TopicRef(topics_[at]);
}

const Match& TopicRegistry::match(const model::TopicRef& ref) {
  Topic& topic = topic_of(ref);
  if (topic.match_version == index_.version()) return topic.match;
  match_bytes_ -= match_bytes(topic.match);
  index_.match(*topic.name, topic.match);
  std::vector<model::SubscriptionSlot>& local = topic.match.local;
  if (local.size() * 2 < local.capacity()) local.shrink_to_fit();
  topic.match_version = index_.version();
  match_bytes_ += match_bytes(topic.match);
  bound_matches(topic);
  return topic.match;
}

std::size_t TopicRegistry::memory_bytes() const noexcept {
  return topics_.memory_bytes() + by_name_.memory_bytes() + name_bytes_ + match_bytes_;
}

std::size_t TopicRegistry::held() const noexcept {
  std::size_t held = 0;
  for (std::uint32_t at = 0; at < topics_.made(); ++at) held += topics_[at].holders > 0 ? 1 : 0;
  return held;
}

std::uint32_t TopicRegistry::find(std::string_view name, std::uint32_t hash) const noexcept {
  return by_name_.find(hash, [&](std::uint32_t at) { return *topics_[at].name == name; });
}

model::TopicRef TopicRegistry::touch(std::uint32_t position) noexcept {
  if (position != newest_) {
    unlink(position);
    append(position);
  }
  return model::TopicRef(topics_[position]);
}

// Gives back what is over the limit first.
bool TopicRegistry::make_room() {
  while (size() >= max_topics_) {
    if (!evict_one()) return false;
  }
  return true;
}

model::TopicRef TopicRegistry::make(TopicName name, std::uint32_t hash) {
  const std::uint32_t position = topics_.take();
  Topic& topic = topics_[position];
  ASSERT(topic.name == nullptr && topic.holders == 0);
  topic.slot = model::TopicSlot(position);
  name_bytes_ += name->size() + kNameOverhead;
  topic.name = std::move(name);
  by_name_.insert(hash, position);
  append(position);
  return model::TopicRef(topic);
}

// Held topics that are passed over become the newest, so that looking goes on behind them.
bool TopicRegistry::evict_one() {
  const std::size_t look = std::min<std::size_t>(kEvictionLook, size());
  for (std::size_t looked = 0; looked < look; ++looked) {
    const std::uint32_t position = oldest_;
    if (topics_[position].holders == 0) {
      evict(position);
      return true;
    }
    touch(position);
  }
  return false;
}

void TopicRegistry::evict(std::uint32_t position) {
  Topic& topic = topics_[position];
  ASSERT(topic.holders == 0 && topic.name != nullptr);
  unlink(position);
  by_name_.erase(hash_text(*topic.name, seed_), position);
  name_bytes_ -= topic.name->size() + kNameOverhead;
  match_bytes_ -= match_bytes(topic.match);
  const std::uint32_t generation = topic.generation + 1;
  topics_.give_back(position);
  topics_[position].generation = generation;
}

void TopicRegistry::append(std::uint32_t position) noexcept {
  Topic& topic = topics_[position];
  topic.older = newest_;
  topic.newer = kNone;
  (newest_ == kNone ? oldest_ : topics_[newest_].newer) = position;
  newest_ = position;
}

void TopicRegistry::unlink(std::uint32_t position) noexcept {
  const Topic& topic = topics_[position];
  (topic.older == kNone ? oldest_ : topics_[topic.older].newer) = topic.newer;
  (topic.newer == kNone ? newest_ : topics_[topic.newer].older) = topic.older;
}

void TopicRegistry::forget_match(Topic& topic) noexcept {
  match_bytes_ -= match_bytes(topic.match);
  topic.match = Match{};
  topic.match_version = 0;
}

// What is asked for again is simply made again. One round over all topics at most.
void TopicRegistry::bound_matches(const Topic& keep) noexcept {
  const std::size_t limit = max_match_bytes_ + match_bytes(keep.match);
  for (std::uint32_t i = 0; i < topics_.made() && match_bytes_ > limit; ++i) {
    sweep_ = sweep_ + 1 < topics_.made() ? sweep_ + 1 : 0;
    if (&topics_[sweep_] != &keep) forget_match(topics_[sweep_]);
  }
}

TopicRegistry::Topic& TopicRegistry::topic_of(const model::TopicRef& topic) noexcept {
  ASSERT(topic);
  return static_cast<Topic&>(*topic.node());
}

void TopicRegistry::check_invariants() const {
  std::size_t live = 0;
  std::size_t cached_bytes = 0;
  std::size_t names = 0;
  for (std::uint32_t at = 0; at < topics_.made(); ++at) {
    const Topic& topic = topics_[at];
    cached_bytes += match_bytes(topic.match);
    if (topic.name == nullptr) {
      ASSERT(topic.holders == 0 && topic.match_version == 0);
      continue;
    }
    ++live;
    names += topic.name->size() + kNameOverhead;
    ASSERT(topic.slot.value() == at);
    ASSERT(find(*topic.name, hash_text(*topic.name, seed_)) == at);
  }
  ASSERT(live + 1 == topics_.in_use() && live == by_name_.size());
  ASSERT(cached_bytes == match_bytes_ && names == name_bytes_);
  std::size_t chained = 0;
  std::uint32_t before = kNone;
  for (std::uint32_t at = oldest_; at != kNone; at = topics_[at].newer) {
    ASSERT(topics_[at].older == before && topics_[at].name != nullptr);
    before = at;
    ++chained;
  }
  ASSERT(before == newest_ && chained == live);
}

}  // namespace sluice::topic
