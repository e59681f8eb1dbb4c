#include "broker/topic/subscription_index.h"

#include <algorithm>

#include "broker/topic/topic_registry.h"

namespace sluice::topic {

SubscriptionIndex::SubscriptionIndex(std::uint64_t hash_seed)
    : seed_(hash_seed), levels_(hash_seed) {
  const std::uint32_t root = nodes_.take();
  ASSERT(root == kRoot);
}

void SubscriptionIndex::add(std::string_view filter, model::SubscriptionSlot slot) {
  Node& node = nodes_[make_node(filter)];
  node.local = lists_.add(node.local, slot);
  ++size_;
  ++version_;
}

void SubscriptionIndex::remove(std::string_view filter, model::SubscriptionSlot slot) {
  const std::uint32_t id = find_node(filter);
  ASSERT(id != kNone);
  nodes_[id].local = lists_.remove(nodes_[id].local, slot);
  drop_if_unused(id);
  ASSERT(size_ > 0);
  --size_;
  ++version_;
}

void SubscriptionIndex::add_remote(std::string_view filter, model::ShardId shard, bool strict) {
  ASSERT(shard.value() < model::kMaxShards);
  const std::uint32_t id = make_node(filter);
  Interest* interest = find_interest(id, shard);
  if (interest == nullptr) {
    const std::uint32_t position = interests_.take();
    interest = &interests_[position];
    interest->shard = shard;
    interest->next = nodes_[id].remote;
    nodes_[id].remote = position;
  }
  ++interest->count;
  if (strict) ++interest->strict_count;
  ++version_;
}

void SubscriptionIndex::remove_remote(std::string_view filter, model::ShardId shard, bool strict) {
  const std::uint32_t id = find_node(filter);
  ASSERT(id != kNone);
  Interest* interest = find_interest(id, shard);
  ASSERT(interest != nullptr && interest->count > 0);
  ASSERT(!strict || interest->strict_count > 0);
  --interest->count;
  if (strict) --interest->strict_count;
  ASSERT(interest->strict_count <= interest->count);
  if (interest->count == 0) unlink_interest(id, shard);
  drop_if_unused(id);
  ++version_;
}

void SubscriptionIndex::match(std::string_view topic, Match& out) const {
  out.local.clear();
  out.remote = 0;
  out.remote_strict = 0;
  Query query;
  query.reserved = topic.starts_with('$');
  for (std::string_view rest = topic; !rest.empty();) {
    ASSERT(query.size < query.levels.size());
    query.levels[query.size++] = levels_.find(wire::take_level(rest));
  }
  collect(kRoot, query, 0, out);
  // Each filter's slots are ascending; only several filters together need sorting.
  if (!std::is_sorted(out.local.begin(), out.local.end())) {
    std::sort(out.local.begin(), out.local.end());
  }
  out.local.erase(std::unique(out.local.begin(), out.local.end()), out.local.end());
}

void SubscriptionIndex::collect(std::uint32_t id, const Query& query, std::size_t depth,
                                Match& out) const {
  const Node& node = nodes_[id];
  if (depth == query.size) return take_all(node, out);
  const bool wildcards_match = depth > 0 || !query.reserved;
  if (wildcards_match && node.tail != kNone) take_all(nodes_[node.tail], out);
  if (query.levels[depth] != kNone) {
    const std::uint32_t child = find_child(id, query.levels[depth]);
    if (child != kNone) collect(child, query, depth + 1, out);
  }
  if (wildcards_match && node.star != kNone) collect(node.star, query, depth + 1, out);
}

void SubscriptionIndex::take_all(const Node& node, Match& out) const {
  lists_.append_to(out.local, node.local);
  for (std::uint32_t at = node.remote; at != kNone; at = interests_[at].next) {
    const Interest& interest = interests_[at];
    const std::uint64_t bit = std::uint64_t{1} << interest.shard.value();
    out.remote |= bit;
    if (interest.strict_count > 0) out.remote_strict |= bit;
  }
}

std::uint32_t SubscriptionIndex::edge_hash(std::uint32_t parent,
                                           std::uint32_t level) const noexcept {
  return hash_number((std::uint64_t{parent} << 32) | level, seed_);
}

std::uint32_t SubscriptionIndex::find_child(std::uint32_t parent,
                                            std::uint32_t level) const noexcept {
  return edges_.find(edge_hash(parent, level), [&](std::uint32_t child) {
    return nodes_[child].parent == parent && nodes_[child].level == level;
  });
}

std::uint32_t SubscriptionIndex::make_child(std::uint32_t parent, std::string_view level) {
  const bool star = level == "*";
  const bool tail = level == ">";
  const std::uint32_t number = star || tail ? kNone : levels_.find(level);
  const std::uint32_t known = star              ? nodes_[parent].star
                              : tail            ? nodes_[parent].tail
                              : number == kNone ? kNone
                                                : find_child(parent, number);
  if (known != kNone) return known;

  const std::uint32_t child = nodes_.take();
  Node& node = nodes_[child];
  node.parent = parent;
  if (star) {
    node.level = kStar;
    nodes_[parent].star = child;
  } else if (tail) {
    node.level = kTail;
    nodes_[parent].tail = child;
  } else {
    node.level = levels_.retain(level);
    edges_.insert(edge_hash(parent, node.level), child);
  }
  ++nodes_[parent].children;
  return child;
}

std::uint32_t SubscriptionIndex::make_node(std::string_view filter) {
  ASSERT(!filter.empty());
  std::uint32_t node = kRoot;
  while (!filter.empty()) {
    ASSERT(nodes_[node].level != kTail);
    node = make_child(node, wire::take_level(filter));
  }
  return node;
}

std::uint32_t SubscriptionIndex::find_node(std::string_view filter) const noexcept {
  std::uint32_t node = kRoot;
  while (!filter.empty() && node != kNone) {
    const std::string_view level = wire::take_level(filter);
    if (level == "*") {
      node = nodes_[node].star;
    } else if (level == ">") {
      node = nodes_[node].tail;
    } else {
      const std::uint32_t number = levels_.find(level);
      node = number == kNone ? kNone : find_child(node, number);
    }
  }
  return node;
}

void SubscriptionIndex::drop_if_unused(std::uint32_t id) {
  while (id != kRoot) {
    const Node node = nodes_[id];
    if (node.children > 0 || node.local != kNone || node.remote != kNone) return;
    Node& parent = nodes_[node.parent];
    if (node.level == kStar) {
      parent.star = kNone;
    } else if (node.level == kTail) {
      parent.tail = kNone;
    } else {
      edges_.erase(edge_hash(node.parent, node.level), id);
      levels_.release(node.level);
    }
    ASSERT(parent.children > 0);
    --parent.children;
    nodes_.give_back(id);
    id = node.parent;
  }
}

SubscriptionIndex::Interest* SubscriptionIndex::find_interest(std::uint32_t node,
                                                              model::ShardId shard) noexcept {
  for (std::uint32_t at = nodes_[node].remote; at != kNone; at = interests_[at].next) {
    if (interests_[at].shard == shard) return &interests_[at];
  }
  return nullptr;
}

void SubscriptionIndex::unlink_interest(std::uint32_t node, model::ShardId shard) {
  std::uint32_t* link = &nodes_[node].remote;
  while (interests_[*link].shard != shard) link = &interests_[*link].next;
  const std::uint32_t gone = *link;
  *link = interests_[gone].next;
  interests_.give_back(gone);
}

std::size_t SubscriptionIndex::memory_bytes() const noexcept {
  return levels_.memory_bytes() + nodes_.memory_bytes() + edges_.memory_bytes() +
         lists_.memory_bytes() + interests_.memory_bytes();
}

void SubscriptionIndex::check_invariants() const {
  levels_.check_invariants();
  std::size_t slots = 0;
  std::size_t live = 1;
  std::size_t children = 0;
  std::size_t plain = 0;
  for (std::uint32_t id = 0; id < nodes_.made(); ++id) {
    const Node& node = nodes_[id];
    children += node.children;
    slots += lists_.size(node.local);
    if (node.parent == kNone) continue;  // the root, or given back
    ++live;
    if (node.level != kStar && node.level != kTail) ++plain;
    check_node(id);
  }
  ASSERT(live == nodes_.in_use());
  ASSERT(children == live - 1);
  ASSERT(plain == edges_.size());
  ASSERT(slots == size_);
}

void SubscriptionIndex::check_node(std::uint32_t id) const {
  const Node& node = nodes_[id];
  ASSERT(node.children > 0 || node.local != kNone || node.remote != kNone);
  if (node.level == kStar) {
    ASSERT(nodes_[node.parent].star == id);
  } else if (node.level == kTail) {
    ASSERT(nodes_[node.parent].tail == id);
    ASSERT(node.children == 0);
  } else {
    ASSERT(find_child(node.parent, node.level) == id);
  }
  for (std::uint32_t at = node.remote; at != kNone; at = interests_[at].next) {
    ASSERT(interests_[at].count > 0);
    ASSERT(interests_[at].strict_count <= interests_[at].count);
  }
}

}  // namespace sluice::topic
