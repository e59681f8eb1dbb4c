// fuzz_index.cc: does the subscription index answer as the plain rule does, for any filters?
//
// The input is lines. "+filter" adds it, "-filter" removes it, "!filter" adds it for another shard;
// any other line is a topic to match. Lines that are no filter or topic are left out.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "broker/topic/topic_registry.h"
#include "libs/wire/topic_name.h"

namespace {

using namespace sluice;

class Comparison {
 public:
  void line(std::string_view text) {
    if (text.empty()) return;
    const char verb = text.front();
    if (verb == '+' || verb == '-' || verb == '!') {
      text.remove_prefix(1);
      if (wire::check_filter(text)) change(verb, std::string(text));
    } else if (wire::check_topic(text)) {
      compare(text);
    }
  }

  void finish() {
    for (const auto& [filter, slot] : local_) index_.remove(filter, slot);
    for (const auto& [filter, count] : remote_) {
      for (int i = 0; i < count; ++i) index_.remove_remote(filter, kShard, i == 0);
    }
    index_.check_invariants();
    if (index_.size() != 0) std::abort();
  }

 private:
  static constexpr model::ShardId kShard{5};

  void change(char verb, const std::string& filter) {
    const auto known = local_.find(filter);
    if (verb == '!') {
      index_.add_remote(filter, kShard, remote_[filter]++ == 0);
    } else if (verb == '+' && known == local_.end()) {
      const model::SubscriptionSlot slot(next_slot_++);
      index_.add(filter, slot);
      local_.emplace(filter, slot);
    } else if (verb == '-' && known != local_.end()) {
      index_.remove(filter, known->second);
      local_.erase(known);
    }
    index_.check_invariants();
  }

  void compare(std::string_view topic) {
    topic::Match match;
    index_.match(topic, match);
    std::size_t expected = 0;
    for (const auto& [filter, slot] : local_) {
      if (!wire::filter_matches(filter, topic)) continue;
      ++expected;
      if (std::find(match.local.begin(), match.local.end(), slot) == match.local.end())
        std::abort();
    }
    if (match.local.size() != expected) std::abort();
    bool remote = false;
    for (const auto& [filter, count] : remote_) {
      remote = remote || wire::filter_matches(filter, topic);
    }
    if ((match.remote != 0) != remote || match.remote_strict != match.remote) std::abort();
  }

  topic::SubscriptionIndex index_;
  std::map<std::string, model::SubscriptionSlot> local_;
  std::map<std::string, int> remote_;
  std::uint32_t next_slot_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Comparison comparison;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    comparison.line(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  comparison.finish();
  return 0;
}
