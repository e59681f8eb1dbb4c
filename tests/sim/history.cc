#include "tests/sim/history.h"

#include <algorithm>

namespace sluice::sim {

std::uint64_t message_number(const std::string& payload) { return std::stoull(payload); }

bool matches(const std::string& filter, const std::string& topic) {
  std::size_t f = 0;
  std::size_t t = 0;
  while (f <= filter.size() && t <= topic.size()) {
    const std::size_t f_end = std::min(filter.find('.', f), filter.size());
    const std::size_t t_end = std::min(topic.find('.', t), topic.size());
    const std::string wanted = filter.substr(f, f_end - f);
    if (wanted == ">") return true;
    if (wanted != "*" && wanted != topic.substr(t, t_end - t)) return false;
    f = f_end + 1;
    t = t_end + 1;
  }
  return f > filter.size() && t > topic.size();
}

bool matches(const std::vector<std::string>& filters, const std::string& topic) {
  return std::any_of(filters.begin(), filters.end(),
                     [&](const std::string& filter) { return matches(filter, topic); });
}

}  // namespace sluice::sim
