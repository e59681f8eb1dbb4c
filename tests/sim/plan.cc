#include "tests/sim/plan.h"

#include <array>

#include "libs/base/random.h"

namespace sluice::sim {
namespace {

constexpr std::array<std::string_view, kActs> kNames = {
    "connect",    "publish", "publish_open", "subscribe", "join",      "unsubscribe",
    "credit",     "room",    "silence",      "stall",     "late_mail", "cancel",
    "half_close", "reset",   "turn",         "pass",      "settle",    "drain"};

// Every ladder that a subscription may have; a run uses some of them.
constexpr const char* kLadders[] = {"drop_oldest",
                                    "drop_newest",
                                    "reject",
                                    "disconnect",
                                    "block",
                                    "block:50ms,drop_oldest",
                                    "block:20ms,drop_newest",
                                    "block:10ms,reject",
                                    "block:30ms,disconnect",
                                    "conflate,drop_oldest",
                                    "conflate:key,drop_newest",
                                    "conflate,block:20ms,drop_newest",
                                    "conflate,block",
                                    "conflate:key,reject",
                                    "block:20ms,conflate:key,disconnect",
                                    "spill:1KiB,drop_oldest",
                                    "spill:4KiB,drop_newest",
                                    "spill:2KiB,block",
                                    "spill:600B,block:20ms,reject",
                                    "block:10ms,spill:2KiB,disconnect"};

constexpr std::size_t kClientsAtFirst = 3;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  bool chance(std::uint32_t percent) { return random_.below(100) < percent; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  std::uint64_t number() { return random_.next(); }

 private:
  base::Random random_;
};

Profile make_profile(Draw& draw) {
  Profile profile;
  profile.shards = static_cast<std::uint16_t>(1 + draw.below(3));
  shard::Options& options = profile.options;
  options.max_frame = 64U << 10;
  options.topic_grant = 1;  // so the window is two frames
  options.max_topics = static_cast<std::uint32_t>(draw.chance(30) ? 3 : 1000);
  options.output_high = draw.chance(50) ? 400 : 1U << 20;
  options.slab_bytes = 32U << 10;
  options.mailbox_entries = draw.chance(30) ? 2 : 4096;
  options.ended_max = 100000;
  profile.faults = draw.chance(70);
  profile.leaving = draw.chance(60);
  profile.all_receipts = draw.chance(70);
  profile.compression = draw.chance(30);
  profile.needs = draw.chance(40);
  profile.deadlines = draw.chance(40);
  profile.cancels = draw.chance(40);
  profile.lags = draw.chance(40);
  profile.shared = draw.chance(60);
  profile.drains = draw.chance(10);
  if (draw.chance(15)) profile.payload_bytes = 8000;
  const bool few = draw.chance(40);
  for (const char* ladder : kLadders) {
    if (!few || draw.chance(25)) profile.ladders.emplace_back(ladder);
  }
  if (profile.ladders.empty()) profile.ladders.emplace_back(kLadders[draw.below(4)]);
  return profile;
}

// What clients do, in hundredths; what the network does stands apart.
Act client_act(const Profile& profile, Draw& draw) {
  const std::uint64_t dice = draw.below(100);
  if (dice < 42) return Act::kPublish;
  if (dice < 50) return Act::kPublishOpen;
  if (dice < 60) return Act::kSubscribe;
  if (dice < 66) return profile.shared ? Act::kJoin : Act::kSubscribe;
  if (dice < 70) return Act::kUnsubscribe;
  if (dice < 86) return Act::kCredit;
  if (dice < 92) return profile.cancels ? Act::kCancel : Act::kPublish;
  if (dice < 95)
    return profile.leaving ? (draw.chance(40) ? Act::kHalfClose : Act::kReset) : Act::kCredit;
  return Act::kConnect;
}

Act network_act(Draw& draw) {
  const std::uint64_t dice = draw.below(100);
  if (dice < 55) return Act::kRoom;
  if (dice < 75) return Act::kSilence;
  if (dice < 90) return Act::kStall;
  return Act::kLateMail;
}

}  // namespace

std::string_view name_of(Act act) { return kNames[static_cast<std::size_t>(act)]; }

Plan make_plan(std::uint64_t seed) {
  Draw draw(seed);
  Plan plan;
  plan.seed = seed;
  plan.profile = make_profile(draw);
  if (Draw turn(seed ^ 0x55); turn.chance(30)) {
    plan.profile.options.copies_turn = 1 + turn.below(20);
  }
  plan.profile.slow_spill = Draw(seed ^ 0x77).chance(50);
  plan.profile.limits = Draw(seed ^ 0x11).chance(25);  // of its own: seeds stay what they were
  if (Draw memory(seed ^ 0x33); memory.chance(15)) {
    plan.profile.payload_bytes = 8000;
    plan.profile.memory_budget = (300U << 10) + memory.below(1500U << 10);
  }
  const auto add = [&](Act act) { plan.steps.push_back({act, draw.number()}); };
  for (std::size_t i = 0; i < kClientsAtFirst; ++i) add(Act::kConnect);
  const std::size_t steps = 40 + draw.below(200);
  const std::size_t drain_at = plan.profile.drains ? steps / 2 + draw.below(steps / 2) : steps;
  for (std::size_t i = 0; i < steps; ++i) {
    if (i == drain_at) add(Act::kDrain);
    add(client_act(plan.profile, draw));
    if (plan.profile.faults && draw.chance(12)) add(network_act(draw));
    if (draw.chance(60)) add(Act::kTurn);
    if (draw.chance(15)) add(Act::kPass);
    if (draw.chance(6)) add(Act::kSettle);
  }
  return plan;
}

std::string describe(const Profile& profile) {
  std::string text = std::to_string(profile.shards) + " shards";
  const auto flag = [&text](bool on, std::string_view name) {
    if (on) text += std::string(", ") + std::string(name);
  };
  flag(profile.faults, "faults");
  flag(profile.leaving, "leaving");
  flag(!profile.all_receipts, "receipts as asked");
  flag(profile.compression, "compression");
  flag(profile.needs, "needs");
  flag(profile.deadlines, "deadlines");
  flag(profile.cancels, "cancels");
  flag(profile.lags, "lags");
  flag(profile.shared, "shared");
  flag(profile.drains, "drains");
  flag(profile.options.copies_turn < 100, "short turns");
  flag(profile.slow_spill, "slow spill");
  flag(profile.limits, "limits");
  flag(profile.memory_budget > 0, "memory " + std::to_string(profile.memory_budget));
  flag(profile.payload_bytes > 100, "large messages");
  text += ", ladders";
  for (const std::string& ladder : profile.ladders) text += " " + ladder;
  return text;
}

}  // namespace sluice::sim
