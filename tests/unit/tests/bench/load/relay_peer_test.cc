#include "tests/bench/load/relay_peer.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(RelaySubscriber, CountsWhatAPublisherWroteWhereverTheBytesAreCut) {
  Work work;
  work.payload_bytes = 16;
  work.rate = 10;
  RelayPeer::Publisher publisher(work, 7);
  EXPECT_EQ(base::as_text(publisher.next()), std::string_view("P\0\7\0", 4));
  publisher.advance(4);
  publisher.post(40);
  publisher.post(50);
  const std::string text = "k" + std::string(base::as_text(publisher.next()));
  ASSERT_EQ(text.size(), 1U + 2 * (4 + 16));
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    LatencySink sink;
    RelayPeer::Subscriber session(work, 7, &sink);
    std::string carry;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      carry += text.substr(at, piece);
      carry.erase(0, session.on_bytes(base::as_bytes(carry), 100));
    }
    EXPECT_TRUE(session.ready());
    EXPECT_EQ(session.delivered().messages, 2U) << piece;
    EXPECT_EQ(sink.histogram.count(), 2U) << piece;
    EXPECT_EQ(sink.histogram.max(), 60U) << piece;
  }
}

TEST(RelaySubscriber, AMessageOfAnotherSizeEndsTheRun) {
  Work work;
  work.payload_bytes = 2;
  RelayPeer::Subscriber session(work, 0, nullptr);
  session.on_bytes(base::as_bytes(std::string_view("k\3\0\0\0abc", 8)), 0);
  EXPECT_FALSE(session.error().empty());
}

}  // namespace
}  // namespace sluice::bench
