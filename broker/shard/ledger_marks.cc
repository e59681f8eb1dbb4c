#include "broker/shard/ledger_marks.h"

#include <algorithm>

namespace sluice::shard {
namespace {

// Whether anything was matched, delivered or lost between the two.
bool is_same(const queue::Ledger& a, const queue::Ledger& b) {
  return a.matched == b.matched && a.delivered == b.delivered && a.discarded == b.discarded &&
         a.dropped == b.dropped;
}

}  // namespace

const LedgerMarks::Mark* LedgerMarks::find(std::uint64_t number) const {
  if (number == 0 || number > added_ || added_ - number >= marks_.size()) return nullptr;
  return &marks_[(number - 1) % max_];
}

std::uint64_t LedgerMarks::mark(std::uint64_t newest, const queue::Ledger& ledger,
                                base::MonotonicTime now) {
  if (max_ == 0 || (newest == 0 && ledger.matched == 0)) return newest;
  const Mark* known = find(newest);
  if (known != nullptr && (now - known->at < kEvery || is_same(known->ledger, ledger))) {
    return newest;
  }
  Mark mark{newest, now, ledger};
  ++added_;
  if (marks_.size() < max_) {
    marks_.push_back(mark);
  } else {
    marks_[(added_ - 1) % max_] = mark;
  }
  return added_;
}

LedgerMarks::Base LedgerMarks::at(std::uint64_t newest, base::MonotonicTime began,
                                  base::MonotonicTime since) const {
  if (newest == 0 || began >= since) return {began, {}, false};
  const Mark* oldest = nullptr;
  for (std::uint64_t number = newest; number != 0;) {
    const Mark* mark = find(number);
    if (mark == nullptr) break;
    if (mark->at <= since) return {mark->at, mark->ledger, false};
    oldest = mark;
    number = mark->previous;
    if (number == 0) return {began, {}, false};
  }
  // Without any mark left, nothing is known but what it was in the beginning.
  if (oldest == nullptr) return {began, {}, false};
  return {oldest->at, oldest->ledger, true};
}

}  // namespace sluice::shard
