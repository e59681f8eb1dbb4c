#include "broker/config/limit_tables.h"

#include <algorithm>
#include <map>
#include <optional>

#include "broker/config/suggest.h"

namespace sluice::config {
namespace {

/// One [[limit]] as far as it has been read.
struct Table {
  model::LimitSpec spec;
  Origin origin;                       // of its header
  std::map<std::string, Origin> keys;  // where each value stands
  bool bad = false;                    // a problem was told
};

/// As people write it; empty where a field has no such value.
std::optional<std::string> text_of(const Given& given) {
  if (const auto* text = std::get_if<std::string>(&given)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&given)) return std::to_string(*number);
  return std::nullopt;
}

/// For the fields that are one of a few words.
std::string meant(const std::string& key, const std::string& text) {
  const auto of = [&text](const auto& words) {
    return did_you_mean(text, std::vector<std::string>(words.begin(), words.end()));
  };
  if (key == "level") return of(model::kLimitLevelNames);
  if (key == "direction") return of(model::kLimitDirectionNames);
  if (key == "enforce") return of(model::kLimitEnforceNames);
  return {};
}

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}

  void take(const TomlEntry& entry) {
    if (entry.is_table) {
      tables_.push_back({{}, entry.key_origin, {}, false});
      return;
    }
    Table& table = tables_.back();
    const std::vector<std::string> keys(model::kLimitFields.begin(), model::kLimitFields.end());
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
      problem(table, entry.key_origin,
              "unknown key \"" + entry.key + "\" in [[limit]]" + did_you_mean(entry.key, keys));
      return;
    }
    table.keys[entry.key] = entry.value_origin;
    const std::optional<std::string> text = text_of(entry.given);
    if (!text) {
      problem(table, entry.value_origin,
              "limit." + entry.key + ": it must be a number or a text in quotes");
      return;
    }
    if (auto stored = model::assign_limit_field(table.spec, entry.key, *text); !stored) {
      problem(table, entry.value_origin,
              "limit." + entry.key + ": " + stored.error().detail + meant(entry.key, *text));
    }
  }

  std::vector<model::LimitSpec> finish(std::size_t limits_max) {
    std::vector<model::LimitSpec> specs;
    for (Table& table : tables_) {
      check(table);
      const auto same = std::find_if(specs.begin(), specs.end(), [&](const auto& spec) {
        return spec.name == table.spec.name;
      });
      if (!table.bad && same != specs.end()) {
        problem(table, place_of(table, "name"),
                "there is another limit of the name \"" + table.spec.name + "\"");
      }
      if (!table.bad) specs.push_back(std::move(table.spec));
    }
    if (tables_.size() > limits_max) {
      problems_.push_back({tables_[limits_max].origin,
                           "there are " + std::to_string(tables_.size()) +
                               " limits, and limits.max = " + std::to_string(limits_max) +
                               "; raise it, or remove some"});
    }
    return specs;
  }

 private:
  void check(Table& table) {
    if (table.bad) return;
    std::string_view key;
    if (auto valid = model::check_limit(table.spec, &key); !valid) {
      problem(table, place_of(table, std::string(key)), "[[limit]]: " + valid.error().detail);
    }
  }

  static Origin place_of(const Table& table, const std::string& key) {
    const auto found = table.keys.find(key);
    return found == table.keys.end() ? table.origin : found->second;
  }

  void problem(Table& table, Origin origin, std::string message) {
    table.bad = true;
    problems_.push_back({std::move(origin), std::move(message)});
  }

  Problems& problems_;
  std::vector<Table> tables_;
};

}  // namespace

std::vector<model::LimitSpec> read_limits(const std::vector<TomlEntry>& entries,
                                          std::size_t limits_max, Problems& problems) {
  Reader reader(problems);
  for (const TomlEntry& entry : entries) {
    if (entry.in_array) reader.take(entry);
  }
  return reader.finish(limits_max);
}

}  // namespace sluice::config
