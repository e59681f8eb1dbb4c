#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(500);
const std::vector<std::string> kGroups = {"reason", "subscription", "client", "topic", "publisher"};

struct DropsOptions {
  bool follow = false;
  std::string reason;
  std::string group_by;
  Duration since{0};
  Duration timeout = std::chrono::seconds(10);
};

// "2026-01-31 23:59:59.123", UTC
std::string time_text(std::uint64_t wall_ns) {
  const auto seconds = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_ns / 1'000'000 % 1000);
}

std::string publisher_of(const Json& row) {
  const std::string name = word(row, "publisher");
  return name.empty() ? word(row, "publisher_connection") : name;
}

std::string line_of(const Json& row) {
  return fmt::format(
      "{} {} ({}) lost {} of {} #{}-{} {} {}, published by {}\n", time_text(count_of(row, "at_ns")),
      word(row, "subscription"), word(row, "client"), counted(count_of(row, "count"), "message"),
      word(row, "topic"), count_of(row, "first_sequence"), count_of(row, "last_sequence"),
      human_size(static_cast<double>(count_of(row, "bytes"))), word(row, "reason"),
      publisher_of(row));
}

class DropsVerb {
 public:
  DropsVerb(const Globals& globals, const DropsOptions& options)
      : globals_(globals), options_(options), runtime_(globals, WhenUnread::kEnd) {}

  ExitCode run() {
    auto client = runtime_.connect(false);
    if (!client) return runtime_.cannot_connect(client.error());
    client_ = std::move(*client);
    Json after = Json::array();
    do {
      const auto page = read_all(after);
      if (!page) return runtime_.failed("drops", page.error());
      if (const ExitCode shown = show(*page); shown != ExitCode::kOk) return shown;
      if (options_.follow) runtime_.sleep(kPoll);
    } while (options_.follow && !runtime_.interrupt().is_interrupted());
    return runtime_.interrupt().exit_code();
  }

 private:
  // All pages behind `after`, which is moved on.
  Result<Json> read_all(Json& after) {
    Json all = {{"missed", 0}, {"rows", Json::array()}};
    for (bool more = true; more;) {
      Json body = {{"after", after}, {"closed", options_.follow}};
      if (!options_.reason.empty()) body["reason"] = options_.reason;
      if (options_.since.count() > 0) {
        body["since_ms"] =
            std::chrono::duration_cast<std::chrono::milliseconds>(options_.since).count();
      }
      auto page = ask(runtime_, *client_, options_.timeout, "drops", body);
      if (!page) return page;
      // What was overrun before the first look is no news.
      if (!after.empty()) all["missed"] = count_of(all, "missed") + count_of(*page, "missed");
      for (Json& row : (*page)["rows"]) all["rows"].push_back(std::move(row));
      after = page->value("next", Json::array());
      more = page->value("more", false);
    }
    return all;
  }

  ExitCode show(const Json& page) {
    if (const std::uint64_t missed = count_of(page, "missed")) {
      note(globals_,
           fmt::format("{} were overrun before they were read", counted(missed, "record")));
    }
    const Json& rows = page["rows"];
    if (!options_.group_by.empty()) return print(globals_, grouped_text(rows));
    std::string out;
    for (const Json& row : rows) out += globals_.json ? row.dump() + '\n' : line_of(row);
    if (out.empty() && !options_.follow && !globals_.json) out = "no drops\n";
    return out.empty() ? ExitCode::kOk : print(globals_, out);
  }

  std::string grouped_text(const Json& rows) const {
    struct Sum {
      std::uint64_t records = 0;
      std::uint64_t messages = 0;
      std::uint64_t bytes = 0;
    };
    std::map<std::string, Sum> sums;
    for (const Json& row : rows) {
      const bool by_publisher = options_.group_by == "publisher";
      Sum& sum = sums[by_publisher ? publisher_of(row) : word(row, options_.group_by.c_str())];
      ++sum.records;
      sum.messages += count_of(row, "count");
      sum.bytes += count_of(row, "bytes");
    }
    std::vector<std::pair<std::string, Sum>> sorted(sums.begin(), sums.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      if (a.second.messages != b.second.messages) return a.second.messages > b.second.messages;
      return a.first < b.first;
    });
    std::string head = options_.group_by;
    std::transform(head.begin(), head.end(), head.begin(),
                   [](char c) { return static_cast<char>(std::toupper(c)); });
    Table table({head, "MESSAGES", "BYTES", "RECORDS"});
    Json json = Json::array();
    for (const auto& [name, sum] : sorted) {
      table.add({name, grouped(sum.messages), human_size(static_cast<double>(sum.bytes)),
                 grouped(sum.records)});
      json.push_back({{options_.group_by, name},
                      {"messages", sum.messages},
                      {"bytes", sum.bytes},
                      {"records", sum.records}});
    }
    if (globals_.json) return json.dump() + '\n';
    return table.empty() ? "no drops\n" : table.text();
  }

  const Globals& globals_;
  const DropsOptions& options_;
  Runtime runtime_;
  std::unique_ptr<Client> client_;
};

}  // namespace

void add_drops(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("drops", "Show which messages were dropped, of whom, and why");
  auto options = std::make_shared<DropsOptions>();
  CLI::Option* follow = verb->add_flag("-f,--follow", options->follow, "Go on as more are dropped");
  verb->add_option("--reason", options->reason,
                   "Only those of this reason, like drop_oldest's "
                   "dropped_oldest")
      ->type_name("REASON");
  add_value(
      *verb, "--group-by", "reason|subscription|client|topic|publisher",
      [options](const std::string& value) -> std::string {
        options->group_by = value;
        if (std::find(kGroups.begin(), kGroups.end(), value) != kGroups.end()) return {};
        return fmt::format("'{}' is nothing to group by{}", value, did_you_mean(value, kGroups));
      },
      "Sums instead of records")
      ->excludes(follow);
  add_duration(*verb, "--since", options->since, "Only those of so long ago or later");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 10s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) {
      return DropsVerb(globals, *options).run();
    };
  });
}

}  // namespace sluice::cli
