#include "broker/queue/ladder.h"

#include <algorithm>

#include "libs/base/units.h"

namespace sluice::queue {
namespace {

using base::ErrorCode;
using base::fail;

struct StepName {
  std::string_view name;
  StepKind kind;
};
constexpr StepName kNames[] = {{"block", StepKind::kBlock},
                               {"spill", StepKind::kSpill},
                               {"conflate", StepKind::kConflate},
                               {"drop_oldest", StepKind::kDropOldest},
                               {"drop_newest", StepKind::kDropNewest},
                               {"reject", StepKind::kReject},
                               {"disconnect", StepKind::kDisconnect}};
constexpr std::string_view kMayStand =
    "a step is block, block:TIME, spill, spill:SIZE, conflate, conflate:key, drop_oldest, "
    "drop_newest, reject or disconnect";

std::string_view name_of(StepKind kind) {
  for (const StepName& step : kNames) {
    if (step.kind == kind) return step.name;
  }
  return {};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Edits between two words: insertions, deletions, replacements.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, 32> row{};
  if (b.size() >= row.size()) return row.size();
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 40)) + "'"; }

tl::unexpected<base::Error> refuse(std::size_t number, std::string_view step,
                                   std::string_view what) {
  return fail(ErrorCode::kBadLadder,
              "step " + std::to_string(number) + " " + quoted(step) + ": " + std::string(what));
}

base::Result<StepKind> parse_kind(std::string_view name, std::size_t number,
                                  std::string_view step) {
  for (const StepName& known : kNames) {
    if (known.name == name) return known.kind;
  }
  std::string_view nearest;
  std::size_t best = 4;  // further off is no guess
  for (const StepName& known : kNames) {
    if (const std::size_t edits = distance(name, known.name); edits < best) {
      best = edits;
      nearest = known.name;
    }
  }
  std::string what = name.empty() ? "empty; " : "unknown; ";
  if (!name.empty() && !nearest.empty()) what += "did you mean " + quoted(nearest) + "? ";
  return refuse(number, step, what + std::string(kMayStand));
}

base::Result<Step> parse_step(std::string_view text, std::size_t number, Ladder& ladder) {
  const std::size_t colon = text.find(':');
  auto kind = parse_kind(text.substr(0, colon), number, text);
  if (!kind) return fail(kind.error());
  Step step{.kind = *kind};
  if (colon == std::string_view::npos) return step;
  if (step.kind == StepKind::kConflate) {
    const std::string_view by = text.substr(colon + 1);
    if (by != "topic" && by != "key") {
      return refuse(number, text, "conflate is by topic or by key: conflate:topic, conflate:key");
    }
    step.by_key = by == "key";
    return step;
  }
  if (step.kind == StepKind::kSpill) {
    const auto bytes = base::parse_size(text.substr(colon + 1));
    if (!bytes) return refuse(number, text, "its size: " + bytes.error().detail.substr(0, 120));
    if (*bytes == 0) {
      return refuse(number, text, "its size must be more than 0; spill alone takes the default");
    }
    ladder.spill_bytes = *bytes;
    return step;
  }
  if (step.kind != StepKind::kBlock) {
    return refuse(number, text, "only block takes a time, and only spill a size");
  }
  auto duration = base::parse_duration(text.substr(colon + 1));
  if (!duration) return refuse(number, text, "its time: " + duration.error().detail.substr(0, 120));
  if (duration->count() == 0) {
    return refuse(number, text, "its time must be more than 0; block alone waits without end");
  }
  step.duration = *duration;
  return step;
}

base::Status check_place(const Ladder& ladder, std::size_t at, bool last) {
  const Step& step = ladder.steps[at];
  const std::string_view name = name_of(step.kind);
  for (std::size_t before = 0; before < at; ++before) {
    if (ladder.steps[before].kind == step.kind) {
      return refuse(at + 1, name, "stands twice");
    }
  }
  if (step.kind == StepKind::kConflate && ladder.spills()) {
    return refuse(at + 1, name,
                  "cannot stand beside spill, which keeps every message in order; choose one");
  }
  const bool hands_over = step.kind == StepKind::kConflate || step.kind == StepKind::kSpill ||
                          (step.kind == StepKind::kBlock && step.duration.count() > 0);
  if (hands_over == !last) return {};
  if (step.kind == StepKind::kSpill) {
    return refuse(at + 1, name,
                  "once it is full something must follow: block, drop_oldest, drop_newest, reject "
                  "or disconnect");
  }
  if (step.kind == StepKind::kConflate) {
    return refuse(at + 1, name,
                  "where nothing can give way something must follow: block, drop_oldest, "
                  "drop_newest, reject or disconnect");
  }
  if (step.kind != StepKind::kBlock) {
    return refuse(at + 1, name, "always settles the matter and so must be the last step");
  }
  if (last) {
    return refuse(at + 1, name,
                  "after its time something must follow: drop_oldest, drop_newest, reject or "
                  "disconnect");
  }
  return refuse(at + 1, name,
                "without a time it waits without end and must be the last step; write block:TIME");
}

}  // namespace

base::Result<Ladder> parse_ladder(std::string_view text) {
  Ladder ladder;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    if (ladder.size == kMaxSteps) {
      return fail(ErrorCode::kBadLadder,
                  "more than " + std::to_string(kMaxSteps) + " steps; " + std::string(kMayStand));
    }
    auto step = parse_step(trim(rest.substr(0, comma)), ladder.size + std::size_t{1}, ladder);
    if (!step) return fail(step.error());
    ladder.steps[ladder.size++] = *step;
    if (comma == std::string_view::npos) break;
    rest = rest.substr(comma + 1);
  }
  for (std::size_t at = 0; at < ladder.size; ++at) {
    if (auto ok = check_place(ladder, at, at + 1 == ladder.size); !ok) return fail(ok.error());
  }
  return ladder;
}

std::string format_ladder(const Ladder& ladder) {
  std::string text;
  for (std::size_t at = 0; at < ladder.size; ++at) {
    const Step& step = ladder.steps[at];
    if (at > 0) text += ',';
    text += name_of(step.kind);
    if (step.duration.count() > 0) text += ":" + base::format_duration(step.duration);
    if (step.by_key) text += ":key";
    if (step.kind == StepKind::kSpill && ladder.spill_bytes > 0) {
      text += ":" + base::format_size(ladder.spill_bytes);
    }
  }
  return text;
}

}  // namespace sluice::queue
