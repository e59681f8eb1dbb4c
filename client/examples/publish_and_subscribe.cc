// publish_and_subscribe.cc: the plain front: publish some messages, take them, and see the
// receipts.
//
//   example_publish_and_subscribe 127.0.0.1:4880

#include <cstdio>
#include <sluice/blocking.h>
#include <string>
#include <variant>

namespace {

int fail(const char* doing, const sluice::Error& error) {
  std::fprintf(stderr, "%s: %s\n", doing, error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  sluice::ClientOptions options;
  if (argc > 1) options.server = argv[1];
  options.name = "publish_and_subscribe";
  auto client = sluice::blocking::Client::connect(options);
  if (!client) return fail("connect", client.error());

  sluice::SubscribeOptions wanted;
  wanted.filters = {"orders.eu.*"};
  auto subscription = client->subscribe(wanted);
  if (!subscription) return fail("subscribe", subscription.error());

  auto orders = client->publisher("orders.eu.created");
  if (!orders) return fail("publisher", orders.error());
  for (int i = 1; i <= 1000; ++i) {
    const std::string order = "order " + std::to_string(i);
    const sluice::Status published = orders->publish(sluice::as_bytes(order));
    if (!published) return fail("publish", published.error());
  }
  const sluice::Status flushed = orders->flush();
  if (!flushed) return fail("flush", flushed.error());
  const sluice::PublishTotals totals = orders->totals();
  std::printf("published %llu, accepted copies %llu\n",
              static_cast<unsigned long long>(totals.messages),
              static_cast<unsigned long long>(totals.accepted));

  std::size_t received = 0;
  std::size_t missed = 0;
  std::string last;
  while (received + missed < 1000) {
    auto item = subscription->next_batch(std::chrono::seconds(5));
    if (!item) return fail("next_batch", item.error());
    if (const auto* gap = std::get_if<sluice::Gap>(&*item)) missed += gap->count;
    const auto* batch = std::get_if<sluice::MessageBatch>(&*item);
    if (batch == nullptr) continue;
    for (const sluice::MessageView& message : *batch) last = message.text();
    received += batch->size();
  }
  std::printf("received %zu, missed %zu, the last one was '%s'\n", received, missed, last.c_str());

  const sluice::Status drained = client->drain();
  if (!drained) return fail("drain", drained.error());
  return received + missed == 1000 ? 0 : 1;
}
