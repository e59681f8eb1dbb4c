#include "tests/bench/load/nats_peer.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

Work work_of(std::uint32_t payload_bytes, double rate = 0) {
  Work work;
  work.payload_bytes = payload_bytes;
  work.rate = rate;
  return work;
}

/// Everything the session has to write now, taken as written.
template <typename Session>
std::string drain(Session& session) {
  std::string text;
  for (auto view = session.next(); !view.empty(); view = session.next()) {
    text += base::as_text(view);
    session.advance(view.size());
    if (text.size() > 1000) break;
  }
  return text;
}

/// Feeds `text` in pieces of `piece` bytes, carrying over what the session gives back.
void feed(NatsPeer::Subscriber& session, std::string_view text, std::size_t piece,
          std::uint64_t now_ns = 0) {
  std::string carry;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    carry += text.substr(at, piece);
    carry.erase(0, session.on_bytes(base::as_bytes(carry), now_ns));
  }
}

TEST(NatsSubscriber, SubscribesAndIsReadyWhenItsPingWasAnswered) {
  NatsPeer::Subscriber session(work_of(4), 3, nullptr);
  const std::string greeting = drain(session);
  EXPECT_TRUE(greeting.starts_with("CONNECT {")) << greeting;
  EXPECT_TRUE(greeting.ends_with("SUB bench.3 1\r\nPING\r\n")) << greeting;
  feed(session, "INFO {\"a\":1}\r\n", 100);
  EXPECT_FALSE(session.ready());
  feed(session, "PONG\r\n", 100);
  EXPECT_TRUE(session.ready());
}

TEST(NatsSubscriber, CountsMessagesAndAnswersPingsWhereverTheBytesAreCut) {
  const std::string message = "MSG bench.0 1 4\r\nMPIN\r\n";
  const std::string text = "PONG\r\n" + message + message + "PING\r\n" + message;
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    NatsPeer::Subscriber session(work_of(4), 0, nullptr);
    drain(session);
    feed(session, text, piece);
    EXPECT_EQ(session.delivered().messages, 3U) << piece;
    EXPECT_EQ(drain(session), "PONG\r\n") << piece;
    EXPECT_EQ(session.error(), "") << piece;
  }
}

TEST(NatsSubscriber, RecordsTheLatencyThatAPublisherStamped) {
  LatencySink sink;
  sink.from_ns = 1000;
  NatsPeer::Publisher publisher(work_of(16, 10), 0);
  drain(publisher);
  publisher.post(999);  // before the window
  publisher.post(1000);
  std::string text = drain(publisher);
  EXPECT_EQ(publisher.published().messages, 2U);
  for (std::size_t at = 0; (at = text.find("PUB bench.0 16", at)) != std::string::npos;) {
    text.replace(at, 14, "MSG bench.0 1 16");
  }
  NatsPeer::Subscriber session(work_of(16, 10), 0, &sink);
  feed(session, text, 5, 1100);
  EXPECT_EQ(session.delivered().messages, 2U);
  EXPECT_EQ(sink.histogram.count(), 1U);
  EXPECT_EQ(sink.histogram.max(), 100U);
}

TEST(NatsSubscriber, AnErrorOfTheServerEndsTheRun) {
  NatsPeer::Subscriber session(work_of(4), 0, nullptr);
  feed(session, "-ERR 'Slow Consumer'\r\n", 100);
  EXPECT_NE(session.error().find("Slow Consumer"), std::string::npos);
}

TEST(NatsPublisher, FloodsOnlyBetweenStartAndStopAndFinishesAMessage) {
  NatsPeer::Publisher session(work_of(4), 0);
  drain(session);
  EXPECT_TRUE(session.next().empty());
  session.start();
  const std::string message = "PUB bench.0 4\r\nxxxx\r\n";
  EXPECT_TRUE(base::as_text(session.next()).starts_with(message + message));
  session.advance(message.size() + 2);
  EXPECT_EQ(session.published().messages, 1U);
  session.stop();
  EXPECT_FALSE(session.settled());
  EXPECT_EQ(drain(session), message.substr(2));
  EXPECT_EQ(session.published().messages, 2U);
  EXPECT_TRUE(session.settled());
}

}  // namespace
}  // namespace sluice::bench
