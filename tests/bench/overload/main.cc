// sluice_overload: one run of the overload benchmark against one broker, one line of JSON out.
#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/load/nats_peer.h"
#include "tests/bench/load/sluice_peer.h"
#include "tests/bench/overload/account.h"
#include "tests/bench/overload/mqtt_peer.h"
#include "tests/bench/overload/redis_peer.h"
#include "tests/bench/overload/scenario.h"
#include "tests/bench/overload/trial.h"

namespace sluice::bench {
namespace {

Account run(const Scenario& scenario) {
  const std::string& peer = scenario.work.peer;
  if (peer == "nats") return Trial<NatsPeer>(scenario).run();
  if (peer == "mqtt-qos0") return Trial<MqttPeer<0>>(scenario).run();
  if (peer == "mqtt-qos1") return Trial<MqttPeer<1>>(scenario).run();
  if (peer == "redis") return Trial<RedisPeer>(scenario).run();
  return Trial<SluicePeer>(scenario).run();
}

int overload_main(const std::vector<std::string>& arguments) {
  const auto scenario = parse_scenario(arguments);
  if (!scenario) {
    std::fprintf(stderr, "sluice_overload: %s\n%s", scenario.error().message().c_str(),
                 scenario_usage().c_str());
    return 2;
  }
  raise_descriptor_limit();
  std::printf("%s\n", to_json(*scenario, run(*scenario)).c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::overload_main(std::vector<std::string>(argv + 1, argv + argc));
}
