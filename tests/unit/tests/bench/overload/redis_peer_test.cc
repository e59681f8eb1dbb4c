#include "tests/bench/overload/redis_peer.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

Work work_of(std::uint32_t payload_bytes) {
  Work work;
  work.payload_bytes = payload_bytes;
  work.rate = 1;
  return work;
}

template <typename Session>
std::string drain(Session& session) {
  std::string text;
  for (auto view = session.next(); !view.empty(); view = session.next()) {
    text += base::as_text(view);
    session.advance(view.size());
  }
  return text;
}

template <typename Session>
void feed(Session& session, std::string_view text, std::size_t piece, std::uint64_t now_ns = 0) {
  std::string carry;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    carry += text.substr(at, piece);
    carry.erase(0, session.on_bytes(base::as_bytes(carry), now_ns));
  }
}

std::string stamped(std::uint64_t intended_ns, std::uint64_t number) {
  std::vector<std::byte> payload(16);
  write_stamp(payload, intended_ns, number);
  return std::string(base::as_text(payload));
}

constexpr std::string_view kGreeting = "*3\r\n$9\r\nsubscribe\r\n$7\r\nbench.0\r\n:1\r\n";

std::string message(std::uint64_t intended_ns, std::uint64_t number) {
  return "*3\r\n$7\r\nmessage\r\n$7\r\nbench.0\r\n$16\r\n" + stamped(intended_ns, number) + "\r\n";
}

TEST(RedisPublisher, CountsWhatRedisAnswers) {
  RedisPeer::Publisher session(work_of(16), 0);
  EXPECT_EQ(drain(session), "PING\r\n");
  feed(session, "+PONG\r\n", 1);
  ASSERT_TRUE(session.ready());
  session.post(5, 0);
  session.post(6, 0);
  const std::string head = "*3\r\n$7\r\nPUBLISH\r\n$7\r\nbench.0\r\n$16\r\n";
  EXPECT_EQ(drain(session), head + stamped(5, 0) + "\r\n" + head + stamped(6, 1) + "\r\n");
  EXPECT_FALSE(session.settled());
  feed(session, ":110\r\n:100\r\n", 1);
  EXPECT_TRUE(session.settled());
  const std::map<std::string, std::uint64_t> expected = {{":100", 1}, {":110", 1}};
  EXPECT_EQ(session.answers(), expected);
}

TEST(RedisPublisher, AnErrorIsShownAsItIs) {
  RedisPeer::Publisher session(work_of(16), 0);
  feed(session, "-ERR unknown command\r\n", 100);
  EXPECT_EQ(session.error(), "redis: -ERR unknown command");
}

TEST(RedisSubscriber, AccountsForItsMessagesWhereverTheBytesAreCut) {
  const std::string text =
      std::string(kGreeting) + message(10, 0) + message(20, 1) + message(30, 4);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    LatencySink sink;
    RedisPeer::Subscriber session(work_of(16), 0, &sink);
    EXPECT_EQ(drain(session), "SUBSCRIBE bench.0\r\n");
    feed(session, text, piece, 100);
    EXPECT_EQ(session.error(), "") << piece;
    EXPECT_EQ(session.delivered().messages, 3U) << piece;
    EXPECT_EQ(session.delivered().untold, 2U) << piece;
    EXPECT_EQ(session.delivered().misplaced, 0U) << piece;
    EXPECT_EQ(sink.histogram.count(), 3U) << piece;
  }
}

TEST(RedisSubscriber, AnythingElseIsAnError) {
  LatencySink sink;
  RedisPeer::Subscriber session(work_of(16), 0, &sink);
  feed(session, "-NOAUTH Authentication required.\r\n", 100);
  EXPECT_EQ(session.error(), "redis: -NOAUTH Authentication required.");
}

}  // namespace
}  // namespace sluice::bench
