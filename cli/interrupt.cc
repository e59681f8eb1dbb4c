#include "cli/interrupt.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int make_signal_fd() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

void raise_flag(int event_fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_fd, &one, sizeof one);
}

// A pipe or socket tells when its other end is gone; a file or terminal has none.
bool has_reader(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

Interrupt::Interrupt(WhenUnread when_unread)
    : signal_fd_(make_signal_fd()),
      stop_fd_(eventfd(0, EFD_CLOEXEC)),
      interrupted_fd_(eventfd(0, EFD_CLOEXEC)),
      when_unread_(when_unread),
      watcher_([this] { watch(); }) {}

Interrupt::~Interrupt() {
  raise_flag(stop_fd_);
  watcher_.join();
  close(signal_fd_);
  close(stop_fd_);
  close(interrupted_fd_);
}

ExitCode Interrupt::exit_code() const noexcept {
  switch (signal_.load()) {
    case SIGINT:
      return ExitCode::kInterrupted;
    case SIGTERM:
      return ExitCode::kTerminated;
    default:
      return ExitCode::kOk;
  }
}

void Interrupt::watch() {
  const bool watches = when_unread_ == WhenUnread::kEnd && has_reader(STDOUT_FILENO);
  const int output = watches ? STDOUT_FILENO : -1;
  // Without events asked for, poll reports POLLERR alone: nobody reads what we write.
  std::array<pollfd, 3> watched = {pollfd{signal_fd_, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0},
                                   pollfd{output, 0, 0}};
  for (;;) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return;
    if (watched[0].revents != 0) on_signal();
    if (watched[2].revents != 0) {
      watched[2].fd = -1;
      end("nobody reads the output");
    }
  }
}

void Interrupt::on_signal() {
  signalfd_siginfo info{};
  if (read(signal_fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  const int number = static_cast<int>(info.ssi_signo);
  if (signal_.exchange(number) != 0) _exit(128 + number);
  end(number == SIGINT ? "interrupted" : "terminated");
}

void Interrupt::end(const char* why) {
  source_.cancel(why);
  raise_flag(interrupted_fd_);
}

}  // namespace sluice::cli
