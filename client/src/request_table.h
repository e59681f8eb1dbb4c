// request_table.h: which question does this answer belong to?
//
// Correlations of questions start at 2^63, so that an ERROR can never be taken for that of a
// publish.
//
// Owner:    the engine, on the I/O thread.
// Thread:   the I/O thread.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <functional>
#include <sluice/error.h>
#include <unordered_map>
#include <utility>

#include "libs/wire/frame_reader.h"

namespace sluice::detail {

class RequestTable {
 public:
  using Handler = std::function<void(Result<wire::Frame>)>;
  static constexpr std::uint64_t kFirst = std::uint64_t{1} << 63;

  /// The correlation to send; `handler` is called once, with the answer or the error.
  std::uint64_t add(Handler handler) {
    const std::uint64_t correlation = next_++;
    handlers_.emplace(correlation, std::move(handler));
    return correlation;
  }

  /// False when nobody asked.
  bool answer(std::uint64_t correlation, Result<wire::Frame> outcome) {
    const auto found = handlers_.find(correlation);
    if (found == handlers_.end()) return false;
    const Handler handler = std::move(found->second);
    handlers_.erase(found);
    handler(std::move(outcome));
    return true;
  }

  /// Every question fails.
  void fail_all(const Error& error) {
    auto handlers = std::exchange(handlers_, {});
    for (auto& [correlation, handler] : handlers) handler(base::fail(error));
  }

 private:
  std::uint64_t next_ = kFirst;
  std::unordered_map<std::uint64_t, Handler> handlers_;
};

}  // namespace sluice::detail
