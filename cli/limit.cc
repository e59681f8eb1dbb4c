#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

const std::vector<std::string> kActions = {"ls", "set", "rm", "simulate"};

struct LimitOptions {
  std::string action;
  std::string name;
  std::map<std::string, std::string> fields;  // by key of the request, as they were given
  std::uint64_t buckets = 3;
  Duration time = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(10);
};

// --- What is printed -----------------------------------------------------------------------

// "1 000/s, 1.00 MiB/s"
std::string rate_of(const Json& row) {
  std::string out;
  if (const std::uint64_t messages = count_of(row, "messages_per_second")) {
    out = grouped(messages) + "/s";
  }
  if (const std::uint64_t bytes = count_of(row, "bytes_per_second")) {
    out += (out.empty() ? "" : ", ") + human_size(static_cast<double>(bytes)) + "/s";
  }
  return out;
}

std::string size_text(std::int64_t bytes) {
  const std::string size = human_size(static_cast<double>(bytes < 0 ? -bytes : bytes));
  return bytes < 0 ? "-" + size : size;
}

// What a bucket has left, of messages, bytes, or both.
std::string level_of(const Json& bucket) {
  std::string out;
  if (const auto left = bucket.find("messages_left"); left != bucket.end()) {
    out = fmt::format("{}", left->get<std::int64_t>());
  }
  if (const auto left = bucket.find("bytes_left"); left != bucket.end()) {
    out += (out.empty() ? "" : ", ") + size_text(left->get<std::int64_t>());
  }
  return out;
}

void add_counts(std::vector<std::string>& cells, const Json& row) {
  const Json counts = row.value("counts", Json::object());
  for (const char* name :
       {"passed_messages", "delayed_messages", "refused_messages", "observed_messages"}) {
    cells.push_back(grouped(count_of(counts, name)));
  }
}

std::string limits_table(const Json& rows) {
  if (rows.empty()) return "no limits\n";
  Table table({"LIMIT", "LEVEL", "MATCH", "DIRECTION", "RATE", "ENFORCE", "BUCKETS", "LEFT",
               "PASSED", "DELAYED", "REFUSED", "OBSERVED"});
  for (const Json& row : rows) {
    const std::string match = word(row, "match");
    std::vector<std::string> cells = {word(row, "name"),
                                      word(row, "level"),
                                      match.empty() ? "-" : match,
                                      word(row, "direction"),
                                      rate_of(row),
                                      word(row, "enforce"),
                                      grouped(count_of(row, "buckets")),
                                      ""};
    add_counts(cells, row);
    table.add(std::move(cells));
    for (const Json& bucket : row.value("busiest", Json::array())) {
      cells = {"  " + word(bucket, "key"), "", "", "", "", "", "", level_of(bucket)};
      add_counts(cells, bucket);
      table.add(std::move(cells));
    }
  }
  return table.text();
}

// "10 messages and 1.00 KiB": what may pass at once of what the limit counts.
std::string burst_of(const Json& row) {
  std::string out;
  if (count_of(row, "messages_per_second") > 0) {
    out = counted(count_of(row, "burst_messages"), "message");
  }
  if (count_of(row, "bytes_per_second") > 0) {
    out += (out.empty() ? "" : " and ") +
           human_size(static_cast<double>(count_of(row, "burst_bytes")));
  }
  return out;
}

// What a simulated limit has found out.
std::string simulation_text(const Json& row, Duration time) {
  const Json counts = row.value("counts", Json::object());
  const std::uint64_t all = count_of(counts, "passed_messages");
  const std::uint64_t over = count_of(counts, "observed_messages");
  std::string out = fmt::format(
      "in {} the limit {} ({} {}, {}) would have applied to {}, {}\n"
      "of those {} ({:.1f} %) were beyond it: they would have been delayed or refused\n",
      human_duration(time), word(row, "name"), word(row, "level"), word(row, "direction"),
      rate_of(row), counted(all, "message"),
      human_size(static_cast<double>(count_of(counts, "passed_bytes"))), grouped(over),
      all == 0 ? 0.0 : 100.0 * static_cast<double>(over) / static_cast<double>(all));
  for (const Json& bucket : row.value("busiest", Json::array())) {
    const Json own = bucket.value("counts", Json::object());
    out += fmt::format("  {}: {} of {}\n", word(bucket, "key"),
                       grouped(count_of(own, "observed_messages")),
                       counted(count_of(own, "passed_messages"), "message"));
  }
  out += fmt::format(
      "a batch larger than the burst ({}) would have passed whole while nothing was taken from the "
      "bucket, and is not counted as beyond; what came next would have waited for it\n",
      burst_of(row));
  return out;
}

// --- What is asked -------------------------------------------------------------------------

class LimitVerb {
 public:
  LimitVerb(const Globals& globals, const LimitOptions& options)
      : globals_(globals), options_(options), runtime_(globals) {}

  ExitCode run() {
    auto client = runtime_.connect(false);
    if (!client) return runtime_.cannot_connect(client.error());
    client_ = std::move(*client);
    if (options_.action == "ls") return list();
    if (options_.action == "set") return set();
    if (options_.action == "rm") return remove();
    return simulate();
  }

 private:
  Json named() const {
    return options_.name.empty() ? Json::object() : Json{{"name", options_.name}};
  }

  Json with_fields() const {
    Json body = named();
    for (const auto& [key, value] : options_.fields) body[key] = value;
    return body;
  }

  // The "limits" of the answer.
  Result<Json> ask(const async::Context& context, const std::string& verb, const Json& body) {
    auto answer = cli::ask(runtime_, *client_, context, verb, body);
    if (!answer) return answer;
    answer_ = std::move(*answer);
    if (!answer_.value("limits", Json()).is_array()) {
      return base::fail(ErrorCode::kInternal, "the broker's answer has no list of limits");
    }
    return answer_["limits"];
  }
  Result<Json> ask(const std::string& verb, const Json& body) {
    async::CancelSource limit = runtime_.until(options_.timeout);
    return ask(limit.context(), verb, body);
  }

  ExitCode list() {
    Json body = named();
    body["buckets"] = options_.buckets;
    auto rows = ask("limit.list", body);
    if (!rows) return runtime_.failed("limit ls", rows.error());
    return print(globals_, globals_.json ? answer_.dump() + '\n' : limits_table(*rows));
  }

  ExitCode set() {
    auto rows = ask("limit.set", with_fields());
    if (!rows) return runtime_.failed("limit set " + options_.name, rows.error());
    note(globals_, fmt::format("limit {} is in force until sluiced restarts; to keep it, write it "
                               "to broker.toml as [[limit]]",
                               options_.name));
    return print(globals_, globals_.json ? answer_.dump() + '\n' : limits_table(*rows));
  }

  ExitCode remove() {
    auto rows = ask("limit.remove", named());
    if (!rows) return runtime_.failed("limit rm " + options_.name, rows.error());
    const bool configured =
        !rows->empty() && rows->front().value("set", std::string()) == "configuration";
    note(globals_, fmt::format("limit {} is removed{}", options_.name,
                               configured ? " until sluiced restarts: it stands in its "
                                            "configuration"
                                          : ""));
    return globals_.json ? print(globals_, answer_.dump() + '\n') : ExitCode::kOk;
  }

  ExitCode simulate() {
    Json body = with_fields();
    body["for_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(options_.time).count();
    auto begun = ask("limit.simulate", body);
    if (!begun) return runtime_.failed("limit simulate " + options_.name, begun.error());
    note(globals_,
         fmt::format("observing for {}; Ctrl-C ends it now", human_duration(options_.time)));
    const MonotonicTime start = runtime_.now();
    runtime_.sleep(options_.time);
    const Duration time = runtime_.now() - start;
    // Not with the context of the verb: that is done after Ctrl-C.
    async::CancelSource finishing = runtime_.finishing();
    auto rows = ask(finishing.context(), "limit.remove", named());
    if (!rows || rows->empty()) {
      const Error why = rows ? Error{ErrorCode::kInternal, "no result"} : rows.error();
      print_error(globals_,
                  fmt::format("cannot remove the simulated limit {}: {}; the broker removes it "
                              "by itself soon after its time",
                              options_.name, why.message()));
      return ExitCode::kFailure;
    }
    const ExitCode printed = print(
        globals_, globals_.json ? answer_.dump() + '\n' : simulation_text(rows->front(), time));
    return printed != ExitCode::kOk ? printed : runtime_.interrupt().exit_code();
  }

  const Globals& globals_;
  const LimitOptions& options_;
  Runtime runtime_;
  std::unique_ptr<Client> client_;
  Json answer_;
};

ExitCode limit(const Globals& globals, const LimitOptions& options) {
  const auto usage = [&globals](const std::string& text) {
    print_error(globals, text + "\nsee: sluice limit --help");
    return ExitCode::kUsage;
  };
  if (options.action != "ls" && options.name.empty()) {
    return usage(fmt::format("{} needs the NAME of a limit", options.action));
  }
  const bool takes_fields = options.action == "set" || options.action == "simulate";
  if (takes_fields && options.fields.empty()) {
    return usage(fmt::format("{} needs what the limit allows, like --messages-per-second 1000",
                             options.action));
  }
  if (!takes_fields && !options.fields.empty()) {
    return usage(fmt::format("{} takes no values of a limit", options.action));
  }
  try {
    return LimitVerb(globals, options).run();
  } catch (const Json::exception& error) {
    print_error(globals, fmt::format("the broker's answer has another form than expected ({}); "
                                     "try -o json",
                                     error.what()));
    return ExitCode::kFailure;
  }
}

// An option whose value goes to the broker as it was given.
void add_field(CLI::App& verb, const std::shared_ptr<LimitOptions>& options,
               const std::string& name, const std::string& type, const std::string& text) {
  std::string key = name.substr(2);
  for (char& c : key) c = c == '-' ? '_' : c;
  add_value(
      verb, name, type,
      [options, key](const std::string& value) {
        options->fields[key] = value;
        return std::string();
      },
      text);
}

}  // namespace

void add_limit(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("limit", "List, set, remove or try out limits on rates");
  auto options = std::make_shared<LimitOptions>();
  add_value(
      *verb, "ACTION", "ls|set|rm|simulate",
      [options](const std::string& value) -> std::string {
        options->action = value;
        if (std::find(kActions.begin(), kActions.end(), value) != kActions.end()) return {};
        return fmt::format("'{}' is not ls, set, rm or simulate{}", value,
                           did_you_mean(value, kActions));
      },
      "ls lists, set makes or changes one, rm removes it, simulate counts what one would do")
      ->required();
  verb->add_option("NAME", options->name, "The limit; for ls all when none is given");
  add_field(*verb, options, "--level", "node|listener|user|connection|topic|subscription",
            "Who shares a bucket; node by default");
  add_field(*verb, options, "--match", "TEXT",
            "Which of them: a topic filter, or a name; all by default");
  add_field(*verb, options, "--direction", "in|out",
            "in counts what is published, out what is delivered; in by default");
  add_field(*verb, options, "--messages-per-second", "N", "Messages that may pass in a second");
  add_field(*verb, options, "--bytes-per-second", "SIZE", "Bytes that may pass in a second");
  add_field(*verb, options, "--burst-messages", "N",
            "Messages that may pass at once; a second's worth by default");
  add_field(*verb, options, "--burst-bytes", "SIZE",
            "Bytes that may pass at once; a second's worth by default");
  add_field(*verb, options, "--enforce", "delay|reject|observe",
            "What happens to more; delay by default");
  add_count(*verb, "--buckets", options->buckets, 0,
            "ls: how many of the busiest buckets to show; 3 by default");
  add_duration(*verb, "--for", options->time, "simulate: how long; 10s by default");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 10s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return limit(globals, *options); };
  });
}

}  // namespace sluice::cli
