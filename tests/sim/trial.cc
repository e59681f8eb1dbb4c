#include "tests/sim/trial.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libs/base/assert.h"

namespace sluice::sim {
namespace {

constexpr unsigned kRunSecondsMax = 5;  // a run takes a few milliseconds
constexpr char kField = '\x1f';
constexpr char kRow = '\x1e';

std::string write_down(const Verdict& verdict) {
  std::string text = std::to_string(verdict.steps) + kRow + std::to_string(verdict.fingerprint);
  for (const Finding& finding : verdict.findings) {
    text += kRow + finding.checker + kField + finding.text;
  }
  return text + kRow;
}

Verdict read_back(const std::string& text) {
  Verdict verdict;
  std::vector<std::string> rows;
  for (std::size_t at = 0, end = 0; (end = text.find(kRow, at)) != std::string::npos;
       at = end + 1) {
    rows.push_back(text.substr(at, end - at));
  }
  verdict.steps = std::stoull(rows.at(0));
  verdict.fingerprint = std::stoull(rows.at(1));
  for (std::size_t i = 2; i < rows.size(); ++i) {
    const std::size_t field = rows[i].find(kField);
    verdict.findings.push_back({rows[i].substr(0, field), rows[i].substr(field + 1)});
  }
  return verdict;
}

[[noreturn]] void be_child(const Plan& plan, const RunOptions& options, int out) {
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDERR_FILENO);
  alarm(kRunSecondsMax);
  const std::string text = write_down(run_here(plan, options));
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = write(out, text.data() + at, text.size() - at);
    if (written <= 0) break;
    at += static_cast<std::size_t>(written);
  }
  _exit(0);
}

Plan without(const Plan& plan, std::size_t first, std::size_t count) {
  Plan shorter = plan;
  const auto begin = shorter.steps.begin() + static_cast<std::ptrdiff_t>(first);
  shorter.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  return shorter;
}

bool has(const Verdict& verdict, const std::string& checker) {
  return std::any_of(verdict.findings.begin(), verdict.findings.end(),
                     [&](const Finding& finding) { return finding.checker == checker; });
}

}  // namespace

Verdict run_here(const Plan& plan, const RunOptions& options) {
  World world(plan, options);
  Verdict verdict;
  verdict.findings = world.run();
  verdict.steps = world.steps_taken();
  verdict.fingerprint = world.fingerprint();
  return verdict;
}

Verdict run_apart(const Plan& plan, const RunOptions& options) {
  std::array<int, 2> ends{};
  ASSERT(pipe(ends.data()) == 0);
  const pid_t child = fork();
  ASSERT(child >= 0);
  if (child == 0) be_child(plan, options, ends[1]);
  close(ends[1]);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t bytes = 0; (bytes = read(ends[0], piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !text.empty()) return read_back(text);
  Verdict verdict;
  verdict.findings.push_back({"assertion", "the broker ended itself, or did not end"});
  return verdict;
}

Plan shrink(const Plan& plan, const RunOptions& options, const std::string& checker,
            std::size_t attempts) {
  Plan best = plan;
  for (std::size_t count = std::max<std::size_t>(best.steps.size() / 2, 1); attempts > 0;) {
    bool shorter = false;
    for (std::size_t at = 0; at + count <= best.steps.size() && attempts > 0;) {
      --attempts;
      Plan candidate = without(best, at, count);
      if (has(run_apart(candidate, options), checker)) {
        best = std::move(candidate);
        shorter = true;
      } else {
        at += count;
      }
    }
    if (count > 1) {
      count /= 2;
    } else if (!shorter) {
      break;
    }
  }
  return best;
}

}  // namespace sluice::sim
