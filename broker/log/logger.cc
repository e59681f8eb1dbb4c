#include "broker/log/logger.h"

#include <array>
#include <atomic>
#include <mutex>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <vector>

#include "broker/log/line.h"
#include "broker/log/rate_gate.h"

namespace sluice::log {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

std::shared_ptr<spdlog::sinks::sink> make_sink(std::ostream* output) {
  if (output == nullptr) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::ostream_sink_mt>(*output, true);
}

}  // namespace

std::string_view level_name(Level level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::optional<Format> parse_format(std::string_view name) noexcept {
  if (name == "text") return Format::kText;
  if (name == "json") return Format::kJson;
  return std::nullopt;
}

struct Logger::Impl {
  Impl(const base::Clock& clock_, const Options& options_)
      : clock(clock_),
        format(options_.format),
        level(options_.level),
        out("sluiced", make_sink(options_.output)),
        gate(options_.burst, options_.window) {
    const char* pattern = format == Format::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})"
                                                  : "time=%Y-%m-%dT%H:%M:%S.%eZ %v";
    out.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
    out.set_level(spdlog::level::trace);
    // There is nowhere to report that standard error cannot be written to.
    out.set_error_handler([](const std::string&) {});
  }

  void put(Level line_level, std::string_view event, Fields fields) {
    const std::string line = format == Format::kJson ? json_line(line_level, event, fields)
                                                     : text_line(line_level, event, fields);
    const spdlog::log_clock::time_point when(clock.wall_now().time_since_epoch());
    out.log(when, spdlog::source_loc{}, spdlog::level::info, line);
  }

  void put(const std::vector<Suppressed>& over) {
    for (const Suppressed& kind : over) {
      put(kind.level, "suppressed", {{"kind", kind.event}, {"count", kind.count}});
    }
  }

  const base::Clock& clock;
  const Format format;
  std::atomic<Level> level;
  spdlog::logger out;
  std::mutex mutex;  // gate, and that a "suppressed" line stands before the next of its kind
  RateGate gate;
};

Logger::Logger(const base::Clock& clock, const Options& options)
    : impl_(std::make_unique<Impl>(clock, options)) {}

Logger::~Logger() {
  const std::lock_guard lock(impl_->mutex);
  impl_->put(impl_->gate.take_over(base::kNever));
}

bool Logger::enabled(Level level) const noexcept {
  return level >= impl_->level.load(std::memory_order_relaxed);
}

void Logger::set_level(Level level) noexcept {
  impl_->level.store(level, std::memory_order_relaxed);
}

void Logger::write(Level level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  const std::lock_guard lock(impl_->mutex);
  std::vector<Suppressed> over;
  const bool admitted = impl_->gate.admit(level, event, impl_->clock.now(), over);
  impl_->put(over);
  if (admitted) impl_->put(level, event, fields);
}

void Logger::on_time() {
  const std::lock_guard lock(impl_->mutex);
  impl_->put(impl_->gate.take_over(impl_->clock.now()));
}

}  // namespace sluice::log
