#include "cli/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) == 0) {
      read_end = ends[0];
      write_end = ends[1];
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  bool is_open() const noexcept { return read_end >= 0; }
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
};

// Only calls that are safe between fork and exec in a program with threads.
[[noreturn]] void become(const Pipe& in, const Pipe& out, char* const* arguments,
                         char* const* environment) {
  dup2(in.read_end, STDIN_FILENO);
  dup2(out.write_end, STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  execve("/bin/sh", arguments, environment);
  _exit(127);
}

std::vector<std::string> environment_of(const ChildOptions& options) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  // The last of equal names would be ignored by a shell, so ours replace what was there.
  for (const auto& [name, value] : options.environment) {
    const std::string assignment = name + "=";
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(assignment); });
    all.push_back(assignment + value);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Feeds the command and collects from it until it has closed its output.
class Exchange {
 public:
  Exchange(const ChildOptions& options, std::string_view input, Pipe& in, Pipe& out)
      : options_(options), left_(input), in_(in), out_(out) {
    fcntl(in_.write_end, F_SETFL, O_NONBLOCK);
  }

  Status run() {
    if (left_.empty()) Pipe::close_end(in_.write_end);
    while (!at_end_) {
      pollfd watched[3] = {{out_.read_end, POLLIN, 0},
                           {in_.write_end, POLLOUT, 0},
                           {options_.interrupt_fd, POLLIN, 0}};
      if (poll(watched, 3, -1) < 0) continue;
      if (watched[2].revents != 0) return base::fail(ErrorCode::kCanceled, "interrupted");
      if (watched[1].revents != 0) feed();
      if (watched[0].revents != 0) collect();
      if (output_.size() > options_.output_max) {
        return base::fail(ErrorCode::kMessageTooLarge, "the command's output");
      }
    }
    return {};
  }

  std::string take_output() { return std::move(output_); }

 private:
  void feed() {
    const ssize_t sent = write(in_.write_end, left_.data(), left_.size());
    if (sent > 0) left_.remove_prefix(static_cast<std::size_t>(sent));
    // A command may end, or close its input, without having read it.
    const bool failed = sent < 0 && errno != EAGAIN && errno != EINTR;
    if (left_.empty() || failed) Pipe::close_end(in_.write_end);
  }

  void collect() {
    const std::size_t size = output_.size();
    output_.resize(size + kReadBytes);
    const ssize_t got = read(out_.read_end, output_.data() + size, kReadBytes);
    output_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    at_end_ = got == 0 || (got < 0 && errno != EINTR);
  }

  const ChildOptions& options_;
  std::string_view left_;
  Pipe& in_;
  Pipe& out_;
  std::string output_;
  bool at_end_ = false;
};

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ChildResult> run_child(const ChildOptions& options, std::string_view input) {
  Pipe in;
  Pipe out;
  std::vector<std::string> words = {"sh", "-c", options.command};
  std::vector<std::string> environment = environment_of(options);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> variables = pointers_to(environment);
  const pid_t child = in.is_open() && out.is_open() ? fork() : -1;
  if (child < 0) {
    return base::fail(ErrorCode::kIo, std::string("starting a process: ") + std::strerror(errno));
  }
  if (child == 0) become(in, out, arguments.data(), variables.data());
  Pipe::close_end(in.read_end);
  Pipe::close_end(out.write_end);
  Exchange exchange(options, input, in, out);
  Status done = exchange.run();
  if (!done) kill(child, SIGTERM);
  const int exit_code = wait_for(child);
  if (!done) return base::fail(done.error());
  return ChildResult{exchange.take_output(), exit_code};
}

}  // namespace sluice::cli
