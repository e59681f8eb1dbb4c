// sluiced: the broker.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "broker/config/load.h"
#include "broker/daemon/node.h"
#include "broker/daemon/shard_options.h"
#include "broker/daemon/version.h"
#include "libs/base/assert.h"
#include "libs/loop/signals.h"

extern char** environ;

namespace sluice::daemon {
namespace {

using base::ExitCode;

int exit_with(ExitCode code) { return static_cast<int>(code); }

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

config::Loaded load_settings(const config::Flags& flags) {
  config::Inputs inputs;
  inputs.file = flags.config;
  inputs.environment = config::environment_from(environ);
  inputs.flags = flags.values;
  inputs.cores = std::max(1U, std::thread::hardware_concurrency());
  inputs.check_ladder = [](std::string_view text) -> base::Status {
    auto ladder = queue::parse_ladder(text);
    if (!ladder) return base::fail(ladder.error());
    return {};
  };
  return config::load(inputs);
}

log::Options log_options(const config::Settings& settings) {
  log::Options options;
  options.level = log::parse_level(settings.log.level).value_or(log::Level::kInfo);
  options.format = log::parse_format(settings.log.format).value_or(log::Format::kText);
  return options;
}

// Each connection takes a descriptor, and the usual soft limit of 1024 is there for programs that
// use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Queues that grow and shrink leave holes in the heap that glibc keeps: what is larger than any
// copy of a waiting batch is mapped by itself, and the heap's end goes back early.
// docs/guide/memory.md has the figures.
void keep_heap_small() {
  constexpr int kMapFrom = 36 << 10;
  constexpr int kMappedMax = 32768;
  constexpr int kTrimFrom = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kMapFrom);
  mallopt(M_MMAP_MAX, kMappedMax);
  mallopt(M_TRIM_THRESHOLD, kTrimFrom);
}

int serve(const config::Settings& settings) {
  keep_heap_small();
  loop::ignore_sigpipe();
  raise_descriptor_limit();
  const base::SystemClock clock;
  log::Logger logger(clock, log_options(settings));
  Node node(settings, clock, logger);
  if (base::Status started = node.start(); !started) {
    print(stderr, "sluiced: cannot listen: " + started.error().message() + "\n");
    return exit_with(ExitCode::kCannotListen);
  }
  print(stdout, "ready " + node.addresses() + " pid=" + std::to_string(getpid()) + "\n");
  const DrainResult result = node.run();
  const bool complete = result.messages_left == 0 && result.publishes_left == 0;
  const std::string stuck =
      result.stuck.empty() ? "" : " shards_stuck=" + std::to_string(result.stuck.size());
  print(stdout, "drained messages_left=" + std::to_string(result.messages_left) +
                    " publishes_left=" + std::to_string(result.publishes_left) + stuck + "\n");
  // Threads that do not end cannot be waited for, and use what destructors would take away.
  if (!stuck.empty()) std::_Exit(exit_with(ExitCode::kDrainIncomplete));
  return exit_with(complete ? ExitCode::kOk : ExitCode::kDrainIncomplete);
}

int run(const std::vector<std::string>& arguments) {
  const auto flags = config::parse_flags(arguments);
  if (!flags) {
    print(stderr, "sluiced: " + flags.error().detail + "\n");
    return exit_with(ExitCode::kUsage);
  }
  if (flags->help) {
    print(stdout, config::flags_help());
    return exit_with(ExitCode::kOk);
  }
  if (flags->version) {
    print(stdout, "sluiced " + std::string(kVersion) + "\n");
    return exit_with(ExitCode::kOk);
  }
  const config::Loaded loaded = load_settings(*flags);
  if (!loaded.ok()) {
    print(stderr, loaded.problems_text());
    return exit_with(ExitCode::kConfiguration);
  }
  if (flags->check_config) {
    print(stdout, loaded.check_text());
    return exit_with(ExitCode::kOk);
  }
  return serve(loaded.settings);
}

}  // namespace
}  // namespace sluice::daemon

int main(int argc, char** argv) {
  return sluice::daemon::run(std::vector<std::string>(argv + 1, argv + argc));
}
