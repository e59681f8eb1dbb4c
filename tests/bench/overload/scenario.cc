#include "tests/bench/overload/scenario.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <variant>

namespace sluice::bench {
namespace {

using base::ErrorCode;
using Field = std::variant<std::uint32_t*, double*>;

constexpr std::string_view kPeers[] = {"sluice", "nats", "mqtt-qos0", "mqtt-qos1", "redis"};

std::map<std::string, Field> fields_of(Scenario& scenario) {
  return {{"--healthy", &scenario.healthy},
          {"--stalled", &scenario.stalled},
          {"--other", &scenario.other},
          {"--lead", &scenario.lead_seconds},
          {"--slow", &scenario.slow_seconds},
          {"--slow-rate", &scenario.slow_rate},
          {"--stalled-receive-bytes", &scenario.stalled_receive_bytes}};
}

bool assign(const Field& field, const std::string& text) {
  return std::visit(
      [&](auto* target) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *target);
        return error == std::errc{} && end == text.data() + text.size();
      },
      field);
}

base::Status check(const Scenario& scenario) {
  const Work& work = scenario.work;
  const auto wrong = [](const std::string& what) {
    return base::fail(ErrorCode::kBadArgument, what);
  };
  if (std::find(std::begin(kPeers), std::end(kPeers), work.peer) == std::end(kPeers)) {
    return wrong("--peer " + work.peer);
  }
  if (!work.timed()) return wrong("--rate is missing");
  if (work.payload_bytes < 16) return wrong("--payload must be 16 or more");
  if (scenario.healthy == 0) return wrong("--healthy 0");
  if (scenario.other > 0 && work.peer != "sluice") return wrong("--other is for sluice");
  if (!(scenario.lead_seconds >= 0) || !(scenario.slow_seconds >= 0)) {
    return wrong("--lead and --slow are times");
  }
  if (!(scenario.slow_rate > 0)) return wrong("--slow-rate is a rate");
  return {};
}

}  // namespace

base::Result<Scenario> parse_scenario(const std::vector<std::string>& arguments) {
  Scenario scenario;
  const auto fields = fields_of(scenario);
  std::vector<std::string> rest;
  std::string peer = "sluice";
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) {
      return base::fail(ErrorCode::kBadArgument, name + " needs a value");
    }
    const std::string& text = arguments[i + 1];
    const auto field = fields.find(name);
    if (name == "--peer") {
      peer = text;
    } else if (field == fields.end()) {
      rest.insert(rest.end(), {name, text});
    } else if (!assign(field->second, text)) {
      return base::fail(ErrorCode::kBadArgument, name + " " + text);
    }
  }
  auto work = parse_work(rest);
  if (!work) return base::fail(work.error());
  scenario.work = *std::move(work);
  scenario.work.peer = peer;
  scenario.work.publishers = 1;
  scenario.work.lanes = scenario.other > 0 ? 2 : 1;
  if (auto status = check(scenario); !status) return base::fail(status.error());
  return scenario;
}

std::string scenario_usage() {
  return "usage: sluice_overload --peer sluice|nats|mqtt-qos0|mqtt-qos1|redis --port N --rate N\n"
         "  [--broker-pid N] [--healthy N] [--stalled N] [--other N] [--payload BYTES]\n"
         "  [--warmup S] [--lead S] [--seconds S] [--slow S] [--slow-rate N] [--drain S]\n"
         "  [--overflow LADDER] [--queue-messages N] [--queue-bytes N]\n"
         "  [--stalled-receive-bytes N]\n";
}

}  // namespace sluice::bench
