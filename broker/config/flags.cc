#include "broker/config/flags.h"

#include <algorithm>
#include <array>

#include "broker/config/suggest.h"

namespace sluice::config {
namespace {

struct Flag {
  std::string_view name;
  std::string_view value;    // what stands behind it in --help; empty for none
  std::string_view setting;  // empty for flags that are no settings
  std::string_view text;
};

constexpr std::array kFlags = {
    Flag{"--config", "FILE", "", "read this TOML file; without it the defaults hold"},
    Flag{"--listen", "HOST:PORT", "listen.native", "address of the native protocol"},
    Flag{"--http", "HOST:PORT", "listen.http", "address of metrics, health and API"},
    Flag{"--data-dir", "DIR", "node.data_dir", "where data will be kept; unused yet"},
    Flag{"--shards", "N", "node.shards", "number of event loops; 0: one per core"},
    Flag{"--check-config", "", "", "check the configuration, print the plan, and exit"},
    Flag{"--version", "", "", "print the version and exit"},
    Flag{"--help", "", "", "print this and exit"},
};

tl::unexpected<base::Error> bad(std::string detail) {
  return base::fail(base::ErrorCode::kBadArgument, std::move(detail));
}

std::vector<std::string> flag_names() {
  std::vector<std::string> names;
  for (const Flag& flag : kFlags) names.emplace_back(flag.name);
  return names;
}

void apply(const Flag& flag, const std::string& value, Flags& flags) {
  if (!flag.setting.empty()) {
    flags.values.push_back({std::string(flag.setting), std::string(flag.name), value});
  } else if (flag.name == "--config") {
    flags.config = value;
  } else if (flag.name == "--check-config") {
    flags.check_config = true;
  } else if (flag.name == "--version") {
    flags.version = true;
  } else {
    flags.help = true;
  }
}

}  // namespace

base::Result<Flags> parse_flags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::size_t equals = argument.find('=');
    const std::string name = argument == "-h" ? "--help" : argument.substr(0, equals);
    if (!name.starts_with("-")) {
      return bad("\"" + argument + "\" is not a flag; sluiced takes flags only, see --help");
    }
    const auto* flag = std::find_if(kFlags.begin(), kFlags.end(),
                                    [&](const Flag& candidate) { return candidate.name == name; });
    if (flag == kFlags.end()) {
      return bad("unknown flag " + name + did_you_mean(name, flag_names()));
    }
    const bool takes_value = !flag->value.empty();
    if (!takes_value && equals != std::string::npos) return bad(name + " takes no value");
    if (takes_value && equals == std::string::npos && i + 1 == arguments.size()) {
      return bad(name + " needs a value: " + name + " " + std::string(flag->value));
    }
    std::string value;
    if (takes_value)
      value = equals != std::string::npos ? argument.substr(equals + 1) : arguments[++i];
    if (takes_value && value.empty()) return bad(name + " has an empty value");
    apply(*flag, value, flags);
  }
  return flags;
}

std::string flags_help() {
  std::string out = "usage: sluiced [FLAG...]\n\n";
  for (const Flag& flag : kFlags) {
    std::string left = "  " + std::string(flag.name);
    if (!flag.value.empty()) left += " " + std::string(flag.value);
    left.resize(std::max<std::size_t>(left.size() + 1, 24), ' ');
    out += left + std::string(flag.text) + "\n";
  }
  out +=
      "\nEvery setting can also come from the environment as SLUICE_<TABLE>_<KEY>, for example\n"
      "SLUICE_NODE_SHARDS=4. Flags override the environment, which overrides the file.\n";
  return out;
}

}  // namespace sluice::config
