// sluice_load: the load generator of the benchmarks. One cell per call, one line of JSON out.
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/load/driver.h"
#include "tests/bench/load/nats_peer.h"
#include "tests/bench/load/relay_peer.h"
#include "tests/bench/load/sluice_peer.h"
#include "tests/bench/load/socket.h"
#include "tests/bench/load/usage.h"

namespace sluice::bench {
namespace {

Outcome run(const Work& work) {
  if (work.peer == "nats") return Driver<NatsPeer>(work).run();
  if (work.peer == "sluice") return Driver<SluicePeer>(work).run();
  return Driver<RelayPeer>(work).run();
}

int load_main(const std::vector<std::string>& arguments) {
  const auto work = parse_work(arguments);
  if (!work) {
    std::fprintf(stderr, "sluice_load: %s\n%s", work.error().message().c_str(),
                 work_usage().c_str());
    return 2;
  }
  std::this_thread::yield();  // the kernel adds up at a switch, of which a young process has had
                              // none
  if (usage_of(0).cpu_seconds == 0) die("sluice_load: this kernel counts no CPU in schedstat");
  raise_descriptor_limit();
  std::printf("%s\n", to_json(*work, run(*work)).c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::load_main(std::vector<std::string>(argv + 1, argv + argc));
}
