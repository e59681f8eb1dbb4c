// slow_consumer.cc: what overload looks like from both ends: the receipts and the gaps add up.
//
//   example_slow_consumer 127.0.0.1:4880
//
// A subscription with room for 100 messages in the broker and credit for 50 here takes nothing
// while 10 000 are published. Afterwards each of them is either delivered or told in a gap.

#include <cinttypes>
#include <cstdio>
#include <sluice/blocking.h>
#include <string>
#include <variant>

namespace {

constexpr std::uint64_t kMessages = 10000;

int fail(const char* doing, const sluice::Error& error) {
  std::fprintf(stderr, "%s: %s\n", doing, error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  sluice::ClientOptions options;
  if (argc > 1) options.server = argv[1];
  options.name = "slow_consumer";
  auto client = sluice::blocking::Client::connect(options);
  if (!client) return fail("connect", client.error());

  sluice::SubscribeOptions wanted;
  wanted.filters = {"sensors.>"};
  wanted.name = "slow";
  wanted.queue_messages = 100;
  wanted.overflow = "drop_newest";
  wanted.credit_messages = 50;
  auto subscription = client->subscribe(wanted);
  if (!subscription) return fail("subscribe", subscription.error());

  auto sensor = client->publisher("sensors.temperature");
  if (!sensor) return fail("publisher", sensor.error());
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    const sluice::Status published = sensor->publish(sluice::as_bytes(std::to_string(i)));
    if (!published) return fail("publish", published.error());
  }
  const sluice::Status flushed = sensor->flush();
  if (!flushed) return fail("flush", flushed.error());
  const sluice::PublishTotals totals = sensor->totals();
  std::printf("receipts: accepted %" PRIu64 ", dropped %" PRIu64 "\n", totals.accepted,
              totals.dropped);

  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  while (delivered + missed < kMessages) {
    auto item = subscription->next(std::chrono::seconds(5));
    if (!item) return fail("next", item.error());
    if (std::holds_alternative<sluice::Message>(*item)) ++delivered;
    const auto* gap = std::get_if<sluice::Gap>(&*item);
    if (gap == nullptr) continue;
    missed += gap->count;
    std::printf("gap: %" PRIu64 " messages, %" PRIu64 "..%" PRIu64 ", %s\n", gap->count,
                gap->first_sequence, gap->last_sequence, gap->reason.c_str());
  }
  std::printf("delivered %" PRIu64 " + missed %" PRIu64 " = %" PRIu64 "\n", delivered, missed,
              kMessages);
  const bool adds_up = delivered == totals.accepted && missed == totals.dropped;
  return adds_up ? 0 : 1;
}
