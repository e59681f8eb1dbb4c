#include "broker/admin/process.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace sluice::admin {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  // The directory that is being read is itself one of them.
  const auto count = std::distance(begin(entries), end(entries));
  return count > 0 ? static_cast<double>(count - 1) : 0;
}

}  // namespace

void read_process(metrics::NodeMetrics& node) {
  node.resident_memory = resident_bytes();
  node.open_descriptors = open_descriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    node.descriptors_limit = static_cast<double>(limit.rlim_cur);
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    node.cpu_time = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
}

}  // namespace sluice::admin
