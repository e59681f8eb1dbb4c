#include "broker/config/plan_lines.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/units.h"

namespace sluice::config {

Size times(Size a, Size b) noexcept {
  Size product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<Size>::max() : product;
}

Size plus(Size a, Size b) noexcept {
  Size sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<Size>::max() : sum;
}

PlanLine product(std::string what, std::initializer_list<Factor> factors) {
  PlanLine line{std::move(what), {}, 1};
  for (const Factor& factor : factors) {
    if (!line.arithmetic.empty()) line.arithmetic += " x ";
    line.arithmetic += factor.noun == nullptr ? base::format_size(factor.value)
                                              : std::to_string(factor.value) + " " + factor.noun;
    line.bytes = times(line.bytes, factor.value);
  }
  return line;
}

std::string row(const std::string& what, const std::string& arithmetic, Size bytes) {
  std::string left = "  " + what;
  left.resize(std::max<std::size_t>(left.size() + 1, 40), ' ');
  left += arithmetic;
  left.resize(std::max<std::size_t>(left.size() + 1, 80), ' ');
  const std::string amount = base::human_size(static_cast<double>(bytes));
  return left + std::string(amount.size() < 10 ? 10 - amount.size() : 0, ' ') + amount + "\n";
}

std::string rows(const std::vector<PlanLine>& lines) {
  std::string out;
  for (const PlanLine& line : lines) out += row(line.what, line.arithmetic, line.bytes);
  return out;
}

std::vector<PlanLine> history(const Settings& settings) {
  const Size shards = settings.node.shards;
  const auto line = [shards](std::string what, const Factor& count, Size each) {
    return product(std::move(what), {{shards, "shards"}, count, {each, nullptr}});
  };
  return {
      line("accounts of what has ended", {settings.history.ended, "subscriptions"}, kEndedBytes),
      line("records of drops", {settings.history.drops, "records"}, kDropBytes),
      line("earlier states of ledgers", {settings.history.marks, "marks"}, kMarkBytes),
  };
}

PlanLine unsent_output(const Settings& settings) {
  PlanLine line =
      product("their unsent output", {{settings.connection.max_connections, "connections"},
                                      {settings.connection.output_high, nullptr}});
  const Size most = settings.node.memory_budget / kOutputShare;
  if (line.bytes <= most) return line;
  line.arithmetic += ", at most 1/" + std::to_string(kOutputShare);
  line.bytes = most;
  return line;
}

}  // namespace sluice::config
