// topic_ref.h: a topic of this shard, held.
//
// Open topics of connections and slices in queues hold their topic by a TopicRef; the registry
// evicts only topics that nobody holds. Counting is plain, as all holders live on one shard.
//
// Owner:    the topic::TopicRegistry owns every TopicNode and outlives every TopicRef.
// Thread:   the owner shard only; never put one into a mailbox.
// Tests:    tests/unit/broker/topic/topic_registry_test.cc

#pragma once

#include <cstdint>
#include <utility>

#include "broker/model/ids.h"

namespace sluice::model {

/// What a TopicRef points to; the registry derives its own record from it.
struct TopicNode {
  TopicSlot slot;                // the topic's id on the wire
  std::uint32_t generation = 0;  // changes each time the slot is given to another topic
  std::uint32_t holders = 0;
};

class TopicRef {
 public:
  TopicRef() noexcept = default;
  explicit TopicRef(TopicNode& node) noexcept : node_(&node) { ++node_->holders; }
  TopicRef(const TopicRef& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) ++node_->holders;
  }
  TopicRef(TopicRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  TopicRef& operator=(TopicRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~TopicRef() {
    if (node_ != nullptr) --node_->holders;
  }

  explicit operator bool() const noexcept { return node_ != nullptr; }
  TopicNode* node() const noexcept { return node_; }
  TopicSlot slot() const noexcept { return node_->slot; }
  std::uint32_t generation() const noexcept { return node_->generation; }
  bool operator==(const TopicRef&) const noexcept = default;

 private:
  TopicNode* node_ = nullptr;
};

}  // namespace sluice::model
