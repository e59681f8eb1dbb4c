// announced_topics.h: which topics has a client been told the names of?
//
// By pages, since the slots of a node's topics go into the millions and most connections are sent
// a few of them: what it costs goes with what was told, but for a pointer per page.
//
// Owner:    one connection.
// Thread:   the owner shard only.
// Tests:    tests/unit/broker/shard/announced_topics_test.cc

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/model/ids.h"

namespace sluice::shard {

class AnnouncedTopics {
 public:
  /// True when this topic was not told yet, or its slot was another's then; it counts as told now.
  bool tell(model::TopicSlot slot, std::uint32_t generation) {
    const std::uint32_t number = slot.value() / kPagePlaces;
    if (number >= pages_.size()) pages_.resize(number + std::size_t{1});
    std::unique_ptr<Page>& page = pages_[number];
    if (page == nullptr) {
      page = std::make_unique<Page>();
      ++page_count_;
    }
    std::uint32_t& mark = (*page)[slot.value() % kPagePlaces];
    if (mark == generation + 1) return false;
    mark = generation + 1;
    return true;
  }

  std::size_t memory_bytes() const {
    return pages_.capacity() * sizeof(pages_[0]) + page_count_ * sizeof(Page);
  }

 private:
  static constexpr std::uint32_t kPagePlaces = 128;
  using Page = std::array<std::uint32_t, kPagePlaces>;  // generation + 1; 0: not told

  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t page_count_ = 0;
};

}  // namespace sluice::shard
