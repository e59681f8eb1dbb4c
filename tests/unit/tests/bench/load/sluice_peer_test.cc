#include "tests/bench/load/sluice_peer.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "libs/wire/codec.h"

namespace sluice::bench {
namespace {

using Bytes = std::vector<std::byte>;
using wire::FrameKind;

constexpr std::uint32_t kMaxBody = 1U << 20;

struct SentFrame {
  wire::FrameHeader header;
  Bytes body;
};

/// Everything the session has to write now, as frames; stops after `limit`.
template <typename Session>
std::vector<SentFrame> frames_of(Session& session, std::size_t limit = 100) {
  Bytes bytes;
  std::vector<SentFrame> frames;
  for (auto view = session.next(); !view.empty() && frames.size() < limit; view = session.next()) {
    bytes.insert(bytes.end(), view.begin(), view.end());
    session.advance(view.size());
    while (const auto header = wire::read_header(bytes, kMaxBody).value()) {
      const auto body_bytes = static_cast<std::ptrdiff_t>(header->body_bytes);
      if (bytes.size() < 16 + header->body_bytes) break;
      frames.push_back({*header, Bytes(bytes.begin() + 16, bytes.begin() + 16 + body_bytes)});
      bytes.erase(bytes.begin(), bytes.begin() + 16 + body_bytes);
    }
  }
  return frames;
}

template <typename Session>
void feed(Session& session, const Bytes& bytes, std::size_t piece, std::uint64_t now_ns = 0) {
  Bytes carry;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::size_t end = std::min(bytes.size(), at + piece);
    carry.insert(carry.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t taken = session.on_bytes(carry, now_ns);
    carry.erase(carry.begin(), carry.begin() + static_cast<std::ptrdiff_t>(taken));
  }
}

template <typename Frame, typename Session>
void answer(Session& session, const Frame& frame, std::uint64_t correlation = 0) {
  Bytes bytes;
  wire::encode(bytes, frame, correlation);
  feed(session, bytes, bytes.size());
}

/// A publisher that has its topic, number 5, and a first window of `grant` bytes.
SluicePeer::Publisher ready_publisher(const Work& work, std::uint64_t grant) {
  SluicePeer::Publisher session(work, 2);
  EXPECT_EQ(frames_of(session).at(0).header.kind, FrameKind::kHello);
  answer(session, wire::Welcome{});
  const auto open = frames_of(session).at(0);
  EXPECT_EQ(open.header.kind, FrameKind::kOpenTopic);
  EXPECT_EQ(wire::decode<wire::OpenTopic>(open.header, open.body)->name, "bench.2");
  wire::Topic topic;
  topic.topic = 5;
  topic.grant = grant;
  topic.name = "bench.2";
  answer(session, topic, 1);
  EXPECT_TRUE(session.ready());
  return session;
}

Work work_of(std::uint32_t payload_bytes, std::uint32_t messages_per_frame, double rate = 0) {
  Work work;
  work.payload_bytes = payload_bytes;
  work.messages_per_frame = messages_per_frame;
  work.rate = rate;
  return work;
}

TEST(SluicePublisher, NeverSendsMoreThanItsGrantAndNumbersEveryPublish) {
  const std::uint64_t batch = wire::kBatchHeaderBytes + 3 * 10;  // size, attributes, 8 bytes
  auto session = ready_publisher(work_of(8, 3), 2 * batch + 5);
  EXPECT_TRUE(frames_of(session).empty()) << "nothing before the start";
  session.start();
  auto frames = frames_of(session);
  ASSERT_EQ(frames.size(), 2U);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].header.kind, FrameKind::kPublish);
    EXPECT_EQ(frames[i].header.correlation, i + 1);
    const auto publish = wire::decode<wire::Publish>(frames[i].header, frames[i].body);
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->topic, 5U);
    EXPECT_EQ(publish->batch.size(), batch);
    const auto checked = wire::check_batch(publish->batch, 1U << 20);
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_EQ(checked->count, 3U);
  }
  answer(session, wire::Grant{.topic = 5, .bytes = batch - 5});
  frames = frames_of(session);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].header.correlation, 3U);
  answer(session, wire::Grant{.topic = 6, .bytes = 100 * batch});
  EXPECT_TRUE(frames_of(session).empty()) << "another topic's window";
  EXPECT_EQ(session.published().messages, 9U);
  EXPECT_EQ(session.published().frames, 3U);
}

TEST(SluicePublisher, IsSettledWhenReceiptsCoverEverything) {
  auto session = ready_publisher(work_of(8, 1), 4 * 90);
  session.start();
  EXPECT_EQ(frames_of(session).size(), 4U);
  session.stop();
  EXPECT_FALSE(session.settled());
  wire::Receipt receipt;
  receipt.first_publish = 1;
  answer(session, receipt, 3);
  EXPECT_FALSE(session.settled());
  receipt.first_publish = 4;
  receipt.status = wire::ReceiptStatus::kRejected;
  answer(session, receipt, 4);
  EXPECT_TRUE(session.settled());
  EXPECT_EQ(session.published().receipts, 4U);
  EXPECT_EQ(session.published().refused, 1U);
}

TEST(SluicePublisher, AnOpenLoopCoalescesWhatIsDueWithinTheGrant) {
  auto session = ready_publisher(work_of(8, 0, 1000), wire::kBatchHeaderBytes + 2 * 10);
  session.post(11);
  session.post(12);
  session.post(13);
  auto frames = frames_of(session);
  ASSERT_EQ(frames.size(), 1U);
  auto publish = wire::decode<wire::Publish>(frames[0].header, frames[0].body);
  EXPECT_EQ(wire::check_batch(publish->batch, 1U << 20)->count, 2U);
  EXPECT_FALSE(session.settled());
  answer(session, wire::Grant{.topic = 5, .bytes = 1000});
  frames = frames_of(session);
  ASSERT_EQ(frames.size(), 1U);
  publish = wire::decode<wire::Publish>(frames[0].header, frames[0].body);
  auto records = publish->batch.subspan(wire::kBatchHeaderBytes);
  EXPECT_EQ(base::load<std::uint64_t>(wire::take_record(records).payload.data()), 13U);
}

TEST(SluicePublisher, ATopicWithoutGrantHoldsBackNoOtherOfTheConnection) {
  Work work = work_of(16, 0, 1000);
  work.lanes = 2;
  SluicePeer::Publisher session(work, 0);
  frames_of(session);
  answer(session, wire::Welcome{});
  EXPECT_EQ(frames_of(session).size(), 2U);
  wire::Topic topic;
  topic.topic = 5;
  topic.grant = 0;
  answer(session, topic, 1);
  EXPECT_FALSE(session.ready());
  topic.topic = 6;
  topic.grant = 1000;
  answer(session, topic, 2);
  ASSERT_TRUE(session.ready());
  session.post(11, 0);
  session.post(11, 1);
  const auto frames = frames_of(session);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(wire::decode<wire::Publish>(frames[0].header, frames[0].body)->topic, 6U);
  EXPECT_EQ(session.unsent(0), 1U);
  EXPECT_EQ(session.sent(1), 1U);
  answer(session, wire::Grant{.topic = 5, .bytes = 1000});
  EXPECT_EQ(frames_of(session).size(), 1U);
  EXPECT_EQ(session.unsent(0), 0U);
}

TEST(SluicePublisher, AnErrorOfTheBrokerEndsTheRun) {
  auto session = ready_publisher(work_of(8, 1), 0);
  wire::ErrorFrame error;
  error.code = 17;
  error.text = "no";
  answer(session, error);
  EXPECT_NE(session.error().find("17"), std::string::npos);
}

/// DELIVER of `count` of the messages stamped with `stamps`, from `first` on.
void append_deliver(Bytes& out, const std::vector<std::uint64_t>& stamps, std::uint32_t first,
                    std::uint32_t count, std::uint64_t sequence) {
  wire::BatchBuilder builder;
  for (const std::uint64_t stamp : stamps) {
    std::byte payload[8];
    base::store(payload, stamp);
    builder.add(payload);
  }
  const Bytes batch = builder.finish({});
  wire::Deliver deliver;
  deliver.subscription = 1;
  deliver.first = first;
  deliver.count = count;
  std::byte header[wire::kDeliverHeaderBytes];
  wire::write_deliver_header(header, deliver, sequence, static_cast<std::uint32_t>(batch.size()));
  out.insert(out.end(), header, header + sizeof header);
  out.insert(out.end(), batch.begin(), batch.end());
}

SluicePeer::Subscriber ready_subscriber(const Work& work, LatencySink* sink) {
  SluicePeer::Subscriber session(work, 0, sink);
  frames_of(session);
  answer(session, wire::Welcome{});
  const auto frame = frames_of(session).at(0);
  const auto subscribe = wire::decode<wire::Subscribe>(frame.header, frame.body);
  EXPECT_EQ(subscribe->overflow, "block");
  EXPECT_EQ(subscribe->filters.at(0), "bench.0");
  wire::Subscribed subscribed;
  subscribed.subscription = 1;
  subscribed.next_sequence = 1;
  answer(session, subscribed, 1);
  EXPECT_TRUE(session.ready());
  return session;
}

TEST(SluiceSubscriber, CountsSlicesAndSequencesWhereverTheBytesAreCut) {
  Bytes bytes;
  append_deliver(bytes, {10, 20, 30}, 0, 3, 1);
  append_deliver(bytes, {40, 50, 60}, 1, 1, 4);
  append_deliver(bytes, {70}, 0, 1, 5);
  for (const bool looks : {false, true}) {
    for (std::size_t piece = 1; piece <= bytes.size(); piece += 3) {
      LatencySink sink;
      auto session = ready_subscriber(work_of(8, 0), looks ? &sink : nullptr);
      feed(session, bytes, piece, 100);
      EXPECT_EQ(session.error(), "");
      EXPECT_EQ(session.delivered().messages, 5U) << piece;
      EXPECT_EQ(session.delivered().misplaced, 0U) << piece;
      EXPECT_EQ(sink.histogram.count(), looks ? 5U : 0U) << piece;
      if (looks) {
        EXPECT_EQ(sink.histogram.percentile(40), 50U) << piece;  // the fourth: 50, not 40
      }
    }
  }
}

TEST(SluiceSubscriber, AGapIsLossAndAHoleWithoutOneIsMisplaced) {
  auto session = ready_subscriber(work_of(8, 0), nullptr);
  Bytes bytes;
  append_deliver(bytes, {1}, 0, 1, 1);
  wire::Gap gap;
  gap.subscription = 1;
  gap.last_sequence = 4;
  gap.count = 3;
  wire::encode(bytes, gap, 2);
  append_deliver(bytes, {1}, 0, 1, 5);
  feed(session, bytes, bytes.size());
  EXPECT_EQ(session.delivered().lost, 3U);
  EXPECT_EQ(session.delivered().gap_frames, 1U);
  EXPECT_EQ(session.delivered().misplaced, 0U);
  bytes.clear();
  append_deliver(bytes, {1}, 0, 1, 9);
  feed(session, bytes, bytes.size());
  EXPECT_EQ(session.delivered().misplaced, 1U);
}

TEST(SluiceSubscriber, GivesBackExactlyTheCreditThatDeliveriesUsed) {
  auto session = ready_subscriber(work_of(1U << 19, 0), nullptr);
  EXPECT_TRUE(frames_of(session).empty());
  const std::uint64_t record = (1U << 19) + 4;  // three bytes of size, one of attributes
  std::uint64_t sequence = 1;
  std::vector<SentFrame> frames;
  for (; frames.empty() && sequence < 100; ++sequence) {
    Bytes bytes;
    append_deliver(bytes, {1}, 0, 1, sequence);
    feed(session, bytes, bytes.size());
    frames = frames_of(session);
  }
  ASSERT_EQ(frames.size(), 1U);
  const auto credit = wire::decode<wire::Credit>(frames[0].header, frames[0].body);
  ASSERT_TRUE(credit);
  EXPECT_EQ(credit->messages, sequence - 1);
  EXPECT_EQ(credit->bytes, (sequence - 1) * record);
  EXPECT_GE(credit->bytes, SluicePeer::kCreditBytes / 2);
}

}  // namespace
}  // namespace sluice::bench
