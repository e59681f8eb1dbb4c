// expiry_notices.h: whose publishes have lost copies to their deadline, since it was last told?
//
// A copy that expires in a queue has long been in a receipt as accepted, so its publisher is told
// afterwards: how many copies of which publish.
//
// Owner:    the shard's Core.
// Thread:   the owner shard only.
// Limits:   kMost publishes at a time; beyond, what they lost is summed by connection, as of the
//           publish 0, which means several.
// Source:   docs/formats/wire.md, section CANCEL.
// Tests:    tests/unit/broker/shard/withdrawal_test.cc

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "broker/model/ids.h"

namespace sluice::shard {

class ExpiryNotices {
 public:
  static constexpr std::size_t kMost = 4096;

  void add(model::Origin origin, std::uint64_t copies) {
    if (!notices_.empty() && notices_.back().origin == origin) {
      notices_.back().copies += copies;
      return;
    }
    if (notices_.size() >= kMost) {
      origin.publish = 0;
      for (std::size_t i = kMost; i < notices_.size(); ++i) {
        if (!(notices_[i].origin == origin)) continue;
        notices_[i].copies += copies;
        return;
      }
    }
    notices_.push_back({origin, copies});
  }

  /// Calls `visit(origin, copies)` for all there is, and forgets it.
  template <typename Visit>
  void tell(Visit visit) {
    for (const Notice& notice : std::exchange(notices_, {})) visit(notice.origin, notice.copies);
  }

 private:
  struct Notice {
    model::Origin origin;
    std::uint64_t copies = 0;
  };
  std::vector<Notice> notices_;  // the first kMost by publish, further ones by connection
};

}  // namespace sluice::shard
