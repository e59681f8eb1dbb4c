// Subscribes, publishes with a receipt, receives, drains: what a user's first program does.
#include <cstdio>
#include <sluice/blocking.h>
#include <sluice/units.h>
#include <string>

namespace {

int report(const char* step, const sluice::Error& error) {
  std::fprintf(stderr, "%s: %s\n", step, error.message().c_str());
  return 1;
}

int run(const std::string& server) {
  const auto timeout = sluice::parse_duration("5s");
  if (!timeout) return report("parse", timeout.error());

  sluice::ClientOptions options;
  options.server = server;
  auto client = sluice::blocking::Client::connect(options, *timeout);
  if (!client) return report("connect", client.error());

  sluice::SubscribeOptions wanted;
  wanted.filters = {"install.>"};
  auto subscription = client->subscribe(wanted, *timeout);
  if (!subscription) return report("subscribe", subscription.error());

  sluice::Outgoing message;
  message.payload = sluice::as_bytes("hello");
  const auto receipt = client->publish_and_wait("install.check", message, {}, *timeout);
  if (!receipt) return report("publish", receipt.error());
  if (receipt->accepted != 1) {
    std::fprintf(stderr, "the receipt says accepted=%zu\n", std::size_t{receipt->accepted});
    return 1;
  }

  const auto item = subscription->next(*timeout);
  if (!item) return report("next", item.error());
  const auto* received = std::get_if<sluice::Message>(&*item);
  if (received == nullptr || received->text() != "hello") {
    std::fprintf(stderr, "something else than the message arrived\n");
    return 1;
  }
  const auto drained = client->drain(*timeout);
  if (!drained) return report("drain", drained.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: against_installed HOST:PORT\n");
    return 2;
  }
  return run(argv[1]);
}
