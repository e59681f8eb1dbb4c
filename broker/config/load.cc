#include "broker/config/load.h"

#include <algorithm>
#include <utility>

#include "broker/config/address.h"
#include "broker/config/limit_tables.h"
#include "broker/config/setting.h"
#include "broker/config/suggest.h"
#include "broker/config/toml_file.h"
#include "libs/base/assert.h"

namespace sluice::config {
namespace {

constexpr std::uint64_t kAutomaticShardsMax = 16;
constexpr std::string_view kPrefix = "SLUICE_";

class Loader {
 public:
  explicit Loader(const Inputs& inputs) : inputs_(inputs), all_(bind(loaded_.settings)) {}

  Loaded run() && {
    if (inputs_.file) apply_file(*inputs_.file);
    apply_environment();
    apply_flags();
    resolve();
    check_addresses();
    check_queues();
    check_limits();
    // The sum of bounds means something only when each of them is valid.
    if (loaded_.ok()) check_plan();
    return std::move(loaded_);
  }

 private:
  void apply_file(const std::string& path) {
    TomlFile file = read_toml(path);
    loaded_.problems = std::move(file.problems);
    entries_ = std::move(file.entries);
    for (const TomlEntry& entry : entries_) {
      if (entry.in_array) continue;  // of check_limits()
      if (entry.is_table) {
        check_table(entry);
      } else {
        apply_entry(entry);
      }
    }
  }

  void check_table(const TomlEntry& entry) {
    if (!entry.table.empty()) {
      // What stands in an unknown table is unknown as well; one problem is enough.
      if (is_table(entry.table)) {
        problem(entry.key_origin, "there are no tables inside [" + entry.table + "]");
      }
    } else if (entry.key == kLimitTable) {
      problem(entry.key_origin, "limits are an array of tables; write [[limit]]");
    } else if (!is_table(entry.key)) {
      problem(entry.key_origin,
              "unknown table [" + entry.key + "]" + did_you_mean(entry.key, tables()));
    }
  }

  void apply_entry(const TomlEntry& entry) {
    if (entry.table.empty()) {
      problem(entry.key_origin, outside_text(entry.key));
      return;
    }
    if (!is_table(entry.table)) return;  // check_table() has said it
    const Setting* setting = find(entry.table, entry.key);
    if (setting == nullptr) {
      problem(entry.key_origin, "unknown key \"" + entry.key + "\" in [" + entry.table + "]" +
                                    did_you_mean(entry.key, keys(entry.table)));
      return;
    }
    take(*setting, assign(*setting, entry.given), entry.value_origin);
  }

  std::string outside_text(const std::string& key) const {
    if (is_table(key)) return "\"" + key + "\" is a table; write [" + key + "]";
    for (const Setting& setting : all_) {
      if (setting.key == key) {
        return "\"" + key + "\" stands outside of its table; write it under [" +
               std::string(setting.table) + "]";
      }
    }
    return "unknown key \"" + key + "\" outside of any table" + did_you_mean(key, tables());
  }

  void apply_environment() {
    std::vector<std::string> names;
    for (const Setting& setting : all_) names.push_back(setting.variable());
    for (const auto& [variable, value] : inputs_.environment) {
      const Origin origin{"environment variable " + variable, {}};
      const auto found = std::find(names.begin(), names.end(), variable);
      if (found != names.end()) {
        const Setting& setting = all_[static_cast<std::size_t>(found - names.begin())];
        take(setting, assign_text(setting, value), origin);
      } else if (names_a_table(variable)) {
        problem(origin, "names no setting" + did_you_mean(variable, names));
      }
    }
  }

  /// SLUICE_SERVER and the like belong to other programs; SLUICE_NODE_SHARD is a slip.
  bool names_a_table(const std::string& variable) const {
    return std::any_of(all_.begin(), all_.end(), [&](const Setting& setting) {
      const std::string full = setting.variable();
      const std::size_t table_end = kPrefix.size() + setting.table.size() + 1;
      return variable.starts_with(std::string_view(full).substr(0, table_end));
    });
  }

  void apply_flags() {
    for (const FlagValue& flag : inputs_.flags) {
      const std::size_t dot = flag.setting.find('.');
      const Setting* setting = find(flag.setting.substr(0, dot), flag.setting.substr(dot + 1));
      ASSERT(setting != nullptr);
      take(*setting, assign_text(*setting, flag.text), {flag.flag, {}});
    }
  }

  /// Replaces what stands for "find out yourself".
  void resolve() {
    Settings::Node& node = loaded_.settings.node;
    if (node.shards == 0) {
      node.shards = std::clamp<std::uint64_t>(inputs_.cores, 1, kAutomaticShardsMax);
    }
    if (!node.data_dir.empty()) return;
    const std::string state = variable("STATE_DIRECTORY");
    if (!state.empty()) {
      node.data_dir = state.substr(0, state.find(':'));  // systemd may name several
    } else if (!variable("XDG_STATE_HOME").empty()) {
      node.data_dir = variable("XDG_STATE_HOME") + "/sluice";
    } else if (!variable("HOME").empty()) {
      node.data_dir = variable("HOME") + "/.local/state/sluice";
    } else {
      node.data_dir = "/var/lib/sluice";
    }
  }

  void check_addresses() {
    const Settings::Listen& listen = loaded_.settings.listen;
    check_address("listen.native", listen.native);
    check_address("listen.http", listen.http);
    const auto native = parse_address(listen.native);
    const auto http = parse_address(listen.http);
    if (native && http && native->port != 0 && native->text() == http->text()) {
      problem(origin_of("listen.http"), "listen.native and listen.http are both " + listen.http +
                                            "; give one of them another port");
    }
  }

  void check_address(const std::string& name, const std::string& text) {
    const auto address = parse_address(text);
    if (!address) {
      problem(origin_of(name), name + ": " + address.error().detail);
    } else if (!address->loopback && !loaded_.settings.listen.allow_unauthenticated) {
      problem(origin_of(name),
              name + ": " + text +
                  " can be reached from other machines, and Sluice authenticates nobody yet; "
                  "listen on 127.0.0.1 or [::1], or write allow_unauthenticated = true in "
                  "[listen] to let everybody in who reaches it");
    }
  }

  void check_queues() {
    const Settings& s = loaded_.settings;
    not_above("subscription.queue_messages", s.subscription.queue_messages,
              "subscription.queue_messages_max", s.subscription.queue_messages_max);
    not_above("subscription.queue_bytes", s.subscription.queue_bytes,
              "subscription.queue_bytes_max", s.subscription.queue_bytes_max);
    not_above("subscription.spill_bytes", s.subscription.spill_bytes,
              "subscription.spill_bytes_max", s.subscription.spill_bytes_max);
    // A publisher waits for GRANT to cover a whole frame; with less it would wait for ever.
    not_above("connection.max_frame", s.connection.max_frame, "topic.grant", s.topic.grant);
    if (!inputs_.check_ladder) return;
    std::string ladder;
    for (const std::string& step : s.subscription.overflow) {
      ladder += (ladder.empty() ? "" : ",") + step;
    }
    if (auto status = inputs_.check_ladder(ladder); !status) {
      problem(origin_of("subscription.overflow"),
              "subscription.overflow: " + status.error().message());
    }
  }

  void check_limits() {
    Settings& s = loaded_.settings;
    s.limit = read_limits(entries_, s.limits.max, loaded_.problems);
  }

  void not_above(const std::string& name, std::uint64_t value, const std::string& limit_name,
                 std::uint64_t limit) {
    if (value <= limit) return;
    const bool limit_was_set = loaded_.origins.contains(limit_name);
    problem(origin_of(limit_was_set ? limit_name : name),
            name + " = " + shown(name) + " is more than " + limit_name + " = " + shown(limit_name));
  }

  void check_plan() {
    loaded_.plan = make_plan(loaded_.settings);
    if (loaded_.plan.fits()) return;
    problem(origin_of("node.memory_budget"),
            "the configuration cannot fit into node.memory_budget = " +
                shown("node.memory_budget") + "\n" + loaded_.plan.needed_text() +
                "raise node.memory_budget, or lower what the largest lines are made of");
  }

  void take(const Setting& setting, const base::Status& status, const Origin& origin) {
    if (status) {
      loaded_.origins[setting.name()] = origin;
    } else {
      problem(origin, setting.name() + ": " + status.error().detail);
    }
  }

  void problem(Origin origin, std::string message) {
    loaded_.problems.push_back({std::move(origin), std::move(message)});
  }

  Origin origin_of(const std::string& name) const {
    const auto found = loaded_.origins.find(name);
    return found == loaded_.origins.end() ? Origin{} : found->second;
  }

  const Setting* find(std::string_view table, std::string_view key) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const Setting& setting) {
      return setting.table == table && setting.key == key;
    });
    return found == all_.end() ? nullptr : &*found;
  }

  std::string shown(const std::string& name) const {
    const std::size_t dot = name.find('.');
    return format_value(*find(name.substr(0, dot), name.substr(dot + 1)));
  }

  bool is_table(std::string_view name) const {
    return std::any_of(all_.begin(), all_.end(),
                       [&](const Setting& setting) { return setting.table == name; });
  }

  std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (const Setting& setting : all_) {
      if (names.empty() || names.back() != setting.table) names.emplace_back(setting.table);
    }
    return names;
  }

  std::vector<std::string> keys(std::string_view table) const {
    std::vector<std::string> names;
    for (const Setting& setting : all_) {
      if (setting.table == table) names.emplace_back(setting.key);
    }
    return names;
  }

  std::string variable(const std::string& name) const {
    const auto found = inputs_.environment.find(name);
    return found == inputs_.environment.end() ? std::string{} : found->second;
  }

  const Inputs& inputs_;
  Loaded loaded_;
  std::vector<TomlEntry> entries_;  // of the file
  std::vector<Setting> all_;
};

}  // namespace

Environment environment_from(const char* const* environ_) {
  Environment environment;
  for (; environ_ != nullptr && *environ_ != nullptr; ++environ_) {
    const std::string_view entry(*environ_);
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name(entry.substr(0, equals));
    const bool matters = name.starts_with(kPrefix) || name == "STATE_DIRECTORY" ||
                         name == "XDG_STATE_HOME" || name == "HOME";
    if (matters) environment[name] = entry.substr(equals + 1);
  }
  return environment;
}

std::string Loaded::problems_text() const {
  std::string out;
  for (const Problem& problem : problems) out += problem.text() + "\n";
  return out;
}

std::string Loaded::check_text() const {
  std::string out;
  Settings copy = settings;
  for (const Setting& setting : bind(copy)) {
    const auto origin = origins.find(setting.name());
    if (origin == origins.end()) continue;
    out += setting.name() + " = " + format_value(setting) + "  # " + origin->second.where + "\n";
  }
  for (const model::LimitSpec& limit : settings.limit) {
    out += "limit " + limit.name + ": " + model::rate_text(limit) + " " +
           std::string(model::name_of(limit.direction)) + ", level " +
           std::string(model::name_of(limit.level)) + ", " +
           std::string(model::name_of(limit.enforce)) + "\n";
  }
  if (out.empty()) out = "every setting has its default\n";
  return out + plan.text();
}

Loaded load(const Inputs& inputs) { return Loader(inputs).run(); }

}  // namespace sluice::config
