#include "broker/flow/limit_gate.h"

#include <algorithm>

#include "libs/base/units.h"

namespace sluice::flow {

using model::LimitEnforce;

namespace {

// Calls `visit` for each limit of one direction and way of enforcing, until it returns false.
template <typename Visit>
void each(const LimitLists& lists, std::vector<AppliedLimit> AppliedLimits::* direction,
          LimitEnforce enforce, Visit visit) {
  for (const AppliedLimits* list : lists) {
    if (list == nullptr) continue;
    for (const AppliedLimit& applied : list->*direction) {
      if (applied.limit->spec.enforce == enforce && !visit(applied)) return;
    }
  }
}

void give_back_until(const LimitLists& lists, LimitEnforce enforce, const AppliedLimit* until,
                     const Offer& offer) {
  each(lists, &AppliedLimits::in, enforce, [&](const AppliedLimit& applied) {
    if (&applied == until) return false;
    applied.bucket->give_back(offer.messages, offer.bytes);
    return true;
  });
}

// Charges what rejects; the verdict is kPass or kReject.
Verdict charge_rejecting(const LimitLists& lists, const Offer& offer) {
  Verdict verdict;
  each(lists, &AppliedLimits::in, LimitEnforce::kReject, [&](const AppliedLimit& applied) {
    const auto refused = applied.bucket->try_take(offer.messages, offer.bytes, offer.now);
    if (!refused) return true;
    verdict = {Verdict::Kind::kReject, *refused, &applied};
    return false;
  });
  if (verdict.by == nullptr) return verdict;
  give_back_until(lists, LimitEnforce::kReject, verdict.by, offer);
  verdict.by->bucket->count_refused(offer.messages);
  return verdict;
}

// Charges what delays; the verdict is kPass, kDelay, or kExpired with everything given back.
Verdict charge_delaying(const LimitLists& lists, const Offer& offer) {
  Verdict verdict;
  verdict.when = offer.now;
  each(lists, &AppliedLimits::in, LimitEnforce::kDelay, [&](const AppliedLimit& applied) {
    const auto due = applied.bucket->take_in_debt(offer.messages, offer.bytes, offer.now);
    if (due > verdict.when) verdict = {Verdict::Kind::kDelay, due, &applied};
    return true;
  });
  if (verdict.when <= offer.deadline) return verdict;
  verdict.kind = Verdict::Kind::kExpired;
  give_back_until(lists, LimitEnforce::kDelay, nullptr, offer);
  if (verdict.by != nullptr) verdict.by->bucket->count_refused(offer.messages);
  return verdict;
}

std::string share_text(std::int64_t left, std::uint64_t of, bool bytes) {
  const auto shown = [bytes](std::uint64_t n) {
    return bytes ? base::format_size(n) : std::to_string(n);
  };
  const std::string unit = bytes ? "" : " messages";
  if (left < 0) return shown(static_cast<std::uint64_t>(-left)) + unit + " beyond what it allows";
  return shown(static_cast<std::uint64_t>(left)) + " of " + shown(of) + unit + " left";
}

}  // namespace

Verdict charge(const LimitLists& lists, const Offer& offer, bool delay_only) {
  if (!delay_only) {
    const Verdict rejecting = charge_rejecting(lists, offer);
    if (rejecting.kind != Verdict::Kind::kPass) return rejecting;
  }
  const Verdict verdict = charge_delaying(lists, offer);
  if (verdict.kind == Verdict::Kind::kExpired) {
    if (!delay_only) give_back_until(lists, LimitEnforce::kReject, nullptr, offer);
    return verdict;
  }
  const auto passed = [&](const AppliedLimit& applied) {
    applied.bucket->count_passed(offer.messages, offer.bytes);
    return true;
  };
  each(lists, &AppliedLimits::in, LimitEnforce::kDelay, passed);
  if (verdict.by != nullptr && !delay_only) verdict.by->bucket->count_delayed(offer.messages);
  if (delay_only) return verdict;
  each(lists, &AppliedLimits::in, LimitEnforce::kReject, passed);
  each(lists, &AppliedLimits::in, LimitEnforce::kObserve, [&](const AppliedLimit& applied) {
    const bool over = applied.bucket->try_take(offer.messages, offer.bytes, offer.now).has_value();
    if (over) applied.bucket->count_observed(offer.messages);
    return passed(applied);
  });
  return verdict;
}

Charged charged(const LimitLists& lists, const Offer& offer) {
  Charged out{{}, offer.messages, offer.bytes};
  each(lists, &AppliedLimits::in, LimitEnforce::kDelay, [&](const AppliedLimit& applied) {
    out.limits.push_back(applied);
    return true;
  });
  return out;
}

void Charged::give_back() {
  for (const AppliedLimit& applied : limits) {
    applied.bucket->give_back(messages, bytes);
    applied.bucket->uncount_passed(messages, bytes);
  }
  limits.clear();
}

std::string refusal_text(const AppliedLimit& by, const Offer& offer, base::MonotonicTime when) {
  const model::LimitSpec& spec = by.limit->spec;
  std::string out = "limit " + spec.name + " of " + std::string(model::name_of(spec.level)) + " " +
                    by.bucket->key() + ": " + model::rate_text(spec);
  if (const auto left = by.bucket->messages_left(offer.now)) {
    out += ", " + share_text(*left, spec.messages_at_once(), false);
  }
  if (const auto left = by.bucket->bytes_left(offer.now)) {
    out += ", " + share_text(*left, spec.bytes_at_once(), true);
  }
  return out + "; there is room in " + base::human_duration(when - offer.now);
}

Pace pace_front(const LimitLists& lists, const model::Slice& slice, std::uint32_t most,
                base::MonotonicTime now) {
  Pace pace{most, now, nullptr};
  each(lists, &AppliedLimits::out, LimitEnforce::kDelay, [&](const AppliedLimit& applied) {
    base::MonotonicTime when = now;
    const std::uint32_t got = applied.bucket->take_front(slice, pace.messages, now, when);
    if (got < pace.messages) {
      // Those asked before it have let go more.
      const std::uint64_t bytes = slice.bytes_of_first(pace.messages) - slice.bytes_of_first(got);
      const std::uint64_t messages = pace.messages - got;
      each(lists, &AppliedLimits::out, LimitEnforce::kDelay, [&](const AppliedLimit& before) {
        if (&before == &applied) return false;
        before.bucket->give_back(messages, bytes);
        return true;
      });
    }
    pace.messages = got;
    if (got == 0) pace = {0, when, &applied};
    return got != 0;
  });
  return pace;
}

void settle_out(const LimitLists& lists, const Amount& let, const Amount& gone,
                std::uint32_t waited_for, base::MonotonicTime now) {
  each(lists, &AppliedLimits::out, LimitEnforce::kDelay, [&](const AppliedLimit& applied) {
    LimitBucket& bucket = *applied.bucket;
    if (let.messages != gone.messages || let.bytes != gone.bytes) {
      bucket.give_back(let.messages, let.bytes);
      bucket.take_in_debt(gone.messages, gone.bytes, now);
    }
    bucket.count_passed(gone.messages, gone.bytes);
    if (applied.limit->number == waited_for) bucket.count_delayed(gone.messages);
    return true;
  });
  each(lists, &AppliedLimits::out, LimitEnforce::kObserve, [&](const AppliedLimit& applied) {
    LimitBucket& bucket = *applied.bucket;
    if (gone.messages == 0) return true;
    const std::uint64_t within = bucket.take_within(gone.messages, gone.bytes, now);
    bucket.count_observed(gone.messages - within);
    bucket.count_passed(gone.messages, gone.bytes);
    return true;
  });
}

}  // namespace sluice::flow
