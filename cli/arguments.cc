#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <fmt/format.h>
#include <sluice/units.h>

#include "cli/suggest.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kNeedNamesMax = 16;

template <typename T>
std::string store(Result<T> value, T& target) {
  if (!value) return value.error().detail;
  target = *value;
  return {};
}

// What is 0 where that would mean the default in silence.
template <typename T>
std::string store_above_zero(const std::string& text, const Result<T>& value, T& target) {
  if (value && *value == T{}) {
    return fmt::format("'{}' is not more than 0; leave it out for the default", text);
  }
  return store(value, target);
}

std::string read_count(const std::string& text, const Counts& allowed, std::uint64_t& target) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const bool huge = error == std::errc::result_out_of_range;
  const bool is_number = stop == end && (error == std::errc{} || huge);
  if (!is_number || (!huge && number < allowed.min)) {
    return fmt::format("'{}' is not a whole number of at least {}", text, allowed.min);
  }
  if (huge || number > allowed.max) {
    return fmt::format("'{}' is more than {}, the most that can be asked for", text, allowed.max);
  }
  target = number;
  return {};
}

}  // namespace

CLI::Option* add_value(CLI::App& verb, const std::string& name, const std::string& type,
                       std::function<std::string(const std::string&)> read,
                       const std::string& text) {
  // The value is read while it is checked: a check may say in words what is wrong.
  CLI::Option* option =
      verb.add_option_function<std::string>(name, [](const std::string&) {}, text);
  option->check([read = std::move(read)](const std::string& value) { return read(value); });
  return option->type_name(type);
}

CLI::Option* add_duration(CLI::App& verb, const std::string& name, Duration& target,
                          const std::string& text) {
  return add_value(
      verb, name, "DURATION",
      [&target](const std::string& value) {
        return store_above_zero(value, parse_duration(value), target);
      },
      text);
}

CLI::Option* add_pause(CLI::App& verb, const std::string& name, Duration& target,
                       const std::string& text) {
  return add_value(
      verb, name, "DURATION",
      [&target](const std::string& value) { return store(parse_duration(value), target); }, text);
}

CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& target,
                      const std::string& text) {
  return add_value(
      verb, name, "SIZE",
      [&target](const std::string& value) {
        return store_above_zero(value, parse_size(value), target);
      },
      text);
}

CLI::Option* add_count(CLI::App& verb, const std::string& name, std::uint64_t& target,
                       Counts allowed, const std::string& text) {
  return add_value(
      verb, name, "N",
      [&target, allowed](const std::string& value) { return read_count(value, allowed, target); },
      text);
}

CLI::Option* add_headers(CLI::App& verb, Headers& target) {
  CLI::Option* option = add_value(
      verb, "-H,--header", "NAME=VALUE",
      [&target](const std::string& value) { return read_header(value, target); },
      "A header; may be given several times");
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* add_needs(CLI::App& verb, std::optional<Need>& target) {
  CLI::Option* option = add_value(
      verb, "--need", "NEED",
      [&target](const std::string& value) {
        if (!target) target.emplace();
        return read_need(value, *target);
      },
      "What the publish insists on: memory, os, disk or quorum (durability), all (every matched "
      "subscription takes it), responders (somebody is subscribed), name:SUBSCRIPTION; may be "
      "given several times");
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* add_format(CLI::App& verb, std::optional<MessageFormat>& target,
                        const std::string& text) {
  return add_value(
      verb, "--format", "FORMAT",
      [&target](const std::string& value) -> std::string {
        auto format = MessageFormat::parse(value);
        if (!format) return format.error().detail;
        target = std::move(*format);
        return {};
      },
      text);
}

std::string read_need(const std::string& text, Need& need) {
  static const std::vector<std::pair<std::string, Durability>> kDurabilities = {
      {"memory", Durability::kMemory},
      {"os", Durability::kOs},
      {"disk", Durability::kDisk},
      {"quorum", Durability::kQuorum}};
  for (const auto& [name, durability] : kDurabilities) {
    if (text == name) {
      need.durability = durability;
      return {};
    }
  }
  if (text == "all") {
    need.accept_all = true;
  } else if (text == "responders") {
    need.responders = true;
  } else if (text.starts_with("name:") && text.size() > 5) {
    if (need.names.size() == kNeedNamesMax) return "at most 16 names can be needed";
    need.names.push_back(text.substr(5));
  } else {
    return fmt::format(
        "'{}' is no need{}; use memory, os, disk, quorum, all, responders or name:SUBSCRIPTION",
        text, did_you_mean(text, {"memory", "disk", "quorum", "all", "responders"}));
  }
  return {};
}

std::string read_header(const std::string& text, Headers& headers) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fmt::format("'{}' is not NAME=VALUE", text);
  }
  headers.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return {};
}

}  // namespace sluice::cli
