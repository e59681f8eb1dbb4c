// Bytes of a peer, in any pieces and at any pace, against a whole broker's core: invariants hold
// after every turn, and a well-behaved pair of clients goes on being served.
//
// The input is a program: each step is an operation and what it needs. Raw bytes are one of them;
// the others make frames that are valid as such, so that what lies behind the decoder is reached.

#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/base/assert.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

class Steps {
 public:
  Steps(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool done() const { return at_ >= size_; }
  std::uint8_t number() { return done() ? 0 : data_[at_++]; }
  base::ByteView bytes() {
    const std::size_t count = std::min<std::size_t>(number(), size_ - at_);
    const base::ByteView view(reinterpret_cast<const std::byte*>(data_ + at_), count);
    at_ += count;
    return view;
  }
  std::string text() {
    const base::ByteView view = bytes();
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

std::string topic(std::uint8_t number) {
  return number % 4 == 0 ? "a" : "a." + std::to_string(number % 4);
}

void publish(TestClient& peer, Steps& steps) {
  PublishOptions what;
  const std::string payload(steps.number(), 'x');
  what.payloads.assign(1 + steps.number() % 5, payload);
  const std::uint8_t how = steps.number();
  what.flags = static_cast<std::uint8_t>(how & 0x0E);
  what.need.accept_all = (how & 0x10) != 0;
  what.deadline_ns = (how & 0x20) != 0 ? steps.number() + 1U : 0;
  const std::string odd = (how & 0x40) != 0 ? steps.text() : "";
  peer.publish(odd.empty() ? topic(how) : odd, what);  // by name, so there has to be one
}

void subscribe(TestClient& peer, Steps& steps) {
  constexpr const char* kLadders[] = {"drop_oldest",         "drop_newest", "reject",
                                      "disconnect",          "block",       "block:1ms,drop_oldest",
                                      "block:1ms,disconnect"};
  SubscribeOptions what;
  const std::uint8_t how = steps.number();
  what.id = how % 8;
  what.filters = {(how & 8) != 0 ? "a.*" : ">"};
  what.overflow = (how & 16) != 0 ? steps.text() : kLadders[steps.number() % 7];
  what.max_messages = steps.number() % 8;
  what.credit = steps.number() % 8;
  if ((how & 32) != 0) what.group = "g" + std::to_string(steps.number() % 3);
  peer.subscribe(what);
}

void step(ShardHarness& broker, TestClient& peer, Steps& steps) {
  switch (steps.number() % 12) {
    case 0:
      return peer.say_bytes(steps.bytes());
    case 1:
      return peer.hello("peer");
    case 2:
    case 3:
      return publish(peer, steps);
    case 4:
      return subscribe(peer, steps);
    case 5:
      return peer.unsubscribe(steps.number() % 8);
    case 6:
      return peer.credit(steps.number() % 8, steps.number(), std::uint64_t{steps.number()} << 4);
    case 7:
      return peer.link().set_room(steps.number());
    case 8:
      return peer.link().set_room(TestLink::kNoEnd);
    case 9:
      return broker.pass(std::chrono::microseconds(std::uint32_t{steps.number()} << 4));
    case 10:
      return peer.open_topic(topic(steps.number()));
    default: {
      const std::size_t most = 1 + steps.number();
      for (std::size_t i = 0; i < broker.size(); ++i) broker.turn(i, most);
    }
  }
}

void run(Steps steps) {
  HarnessOptions options;
  options.shards = static_cast<std::uint16_t>(1 + steps.number() % 2);
  options.options.slab_bytes = 16U << 10;
  options.options.output_high = 2000;
  options.options.max_topics = 4;
  ShardHarness broker(options);
  TestClient& publisher = broker.connect(0, "publisher");
  TestClient& subscriber = broker.connect(broker.size() - 1, "subscriber");
  subscriber.subscribe({.filters = {"healthy"}});
  publisher.open_topic("healthy");
  broker.run();
  TestClient& first = broker.connect_silently(0);
  TestClient& second = broker.connect_silently(broker.size() - 1);
  while (!steps.done()) step(broker, steps.number() % 2 == 0 ? first : second, steps);
  broker.run();
  first.vanish();
  second.vanish();
  broker.run();
  publisher.heard();
  publisher.publish_open("healthy", {.payloads = {"x"}});
  broker.run();
  ASSERT(publisher.heard() == "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  ASSERT(subscriber.told().at(1).size() == 1);
  ASSERT(broker.idle());
}

}  // namespace
}  // namespace sluice::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::testing::run({data, size});
  return 0;
}
