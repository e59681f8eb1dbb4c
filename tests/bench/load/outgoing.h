// outgoing.h: what does a connection write next, control bytes or its flood?
//
// Control bytes (handshakes, credits, answers to pings) go first, but only between two units of
// the flood.
//
// Owner:    one session.
// Thread:   owner thread only.
// Tests:    tests/unit/tests/bench/load/flood_test.cc

#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/load/flood.h"

namespace sluice::bench {

class Outgoing {
 public:
  /// Append whole frames or lines to this.
  std::vector<std::byte>& control() noexcept { return control_; }
  void add_text(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    control_.insert(control_.end(), bytes.begin(), bytes.end());
  }

  void set_flood(Flood flood) { flood_ = std::move(flood); }
  Flood& flood() noexcept { return flood_; }

  /// True when nothing is half written and no control bytes wait.
  bool idle() const noexcept { return control_.empty() && flood_.at_boundary(); }

  /// True when view(units) begins new units of the flood; only then may they be changed.
  bool flood_is_next() const noexcept { return control_.empty(); }

  base::ByteView view(std::size_t units) const noexcept {
    if (!control_.empty() && flood_.at_boundary()) {
      return base::ByteView(control_).subspan(control_sent_);
    }
    return flood_.view(control_.empty() ? units : 0);
  }

  /// `bytes` of the last view have been written.
  Flood::Progress advance(std::size_t bytes) {
    if (control_.empty() || !flood_.at_boundary()) return flood_.advance(bytes);
    control_sent_ += bytes;
    if (control_sent_ == control_.size()) {
      control_.clear();
      control_sent_ = 0;
    }
    return {};
  }

 private:
  std::vector<std::byte> control_;
  std::size_t control_sent_ = 0;
  Flood flood_;
};

}  // namespace sluice::bench
