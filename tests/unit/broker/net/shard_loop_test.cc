// Shards on threads of their own, over real sockets: what the shard's tests in one thread cannot
// see.

#include "broker/net/shard_loop.h"

#include <future>

#include "broker/store/memory/memory_spill_store.h"
#include "tests/unit/broker/net/blocking_peer.h"

namespace sluice::testing {
namespace {

class QuietSink final : public port::EventSink, public port::AdminSink {
 public:
  void connection_opened(model::ConnectionId, std::string_view, std::string_view) override {}
  void connection_closed(model::ConnectionId, std::string_view, const base::Error*) override {}
  void subscription_dropping(model::ConnectionId, std::string_view, std::uint64_t) override {}
  void rehearsal(std::string_view, bool, base::Duration, base::Duration) override {}
  void on_request(const port::AdminReturn&, std::string, std::string) override {}
};

class ShardLoopTest : public ::testing::Test {
 protected:
  explicit ShardLoopTest(std::uint32_t max_connections = 100) {
    options_.shard_count = 2;
    options_.max_connections = max_connections;
    options_.default_ladder = *queue::parse_ladder("block");
    office_ = std::make_unique<shard::PostOffice>(options_.shard_count);
    for (std::uint16_t i = 0; i < options_.shard_count; ++i) {
      metrics_.push_back(std::make_unique<metrics::ShardMetrics>());
      pools_.push_back(std::make_unique<base::SlabPool>(options_.slab_bytes, 4));
      spills_.push_back(std::make_unique<store::MemorySpillStore>());
      const shard::Ports ports{*metrics_[i], *pools_[i], *office_, sink_, sink_, *spills_[i]};
      shards_.push_back(
          std::make_unique<net::ShardLoop>(model::ShardId(i), options_, ports, clock_, i + 1));
    }
    for (const auto& shard : shards_) shard->start();
  }
  ~ShardLoopTest() override { stop(); }

  void stop() {
    for (const auto& shard : shards_) shard->stop();
    shards_.clear();
  }

  BlockingPeer connect(std::size_t shard) {
    auto [ours, theirs] = tcp_pair();
    shards_[shard]->adopt(std::move(theirs));
    BlockingPeer peer(std::move(ours));
    peer.say(wire::Hello{.max_frame = 1U << 20, .client_name = "test"}, 1);
    return peer;
  }

  BlockingPeer subscriber(std::size_t shard, std::uint64_t credit) {
    BlockingPeer peer = connect(shard);
    wire::Subscribe subscribe;
    subscribe.subscription = 1;
    subscribe.filters = {"a"};
    subscribe.max_messages = 100;
    subscribe.credit_messages = credit;
    subscribe.credit_bytes = 1U << 20;
    peer.say(subscribe, 2);
    EXPECT_TRUE(peer.hear(wire::FrameKind::kSubscribed));
    return peer;
  }

  base::SystemClock clock_;
  QuietSink sink_;
  shard::Options options_;
  std::vector<std::unique_ptr<metrics::ShardMetrics>> metrics_;
  std::vector<std::unique_ptr<base::SlabPool>> pools_;
  std::vector<std::unique_ptr<port::SpillStore>> spills_;
  std::unique_ptr<shard::PostOffice> office_;
  std::vector<std::unique_ptr<net::ShardLoop>> shards_;
};

TEST_F(ShardLoopTest, WhatOneShardIsGivenTheOtherDeliversInOrder) {
  constexpr std::uint64_t kMessages = 2000;
  BlockingPeer sub = subscriber(1, kMessages);
  BlockingPeer pub = connect(0);
  for (std::uint64_t i = 1; i <= kMessages; ++i) pub.publish(i, "a", std::to_string(i));
  std::uint64_t next = 1;
  while (next <= kMessages) {
    const auto frame = sub.hear(wire::FrameKind::kDeliver);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.correlation, next);
    next += frame->as<wire::Deliver>().count;
  }
  std::uint64_t receipted = 0;
  while (receipted < kMessages) {
    const auto frame = pub.hear(wire::FrameKind::kReceipt);
    ASSERT_TRUE(frame);
    const auto receipt = frame->as<wire::Receipt>();
    EXPECT_EQ(receipt.status, wire::ReceiptStatus::kAccepted);
    EXPECT_EQ(receipt.accepted, receipt.messages);
    receipted += receipt.messages;
  }
}

TEST_F(ShardLoopTest, StopsWithConnectionsOpenAndMessagesHeldElsewhere) {
  BlockingPeer sub = subscriber(1, 0);
  BlockingPeer pub = connect(0);
  for (std::uint64_t i = 1; i <= 50; ++i) pub.publish(i, "a", std::string(5000, 'x'));
  for (std::uint64_t left = 50; left > 0;) {
    const auto frame = pub.hear(wire::FrameKind::kReceipt);
    ASSERT_TRUE(frame);
    left -= frame->as<wire::Receipt>().messages;
  }
  stop();  // queues of one shard hold slabs of the other
  EXPECT_FALSE(sub.hear(wire::FrameKind::kDeliver));
  for (const auto& pool : pools_) EXPECT_EQ(pool->in_use(), 0U);
}

TEST_F(ShardLoopTest, JobsRunOnTheShardsOwnThread) {
  std::promise<std::pair<std::thread::id, std::size_t>> answer;
  BlockingPeer peer = connect(0);
  ASSERT_TRUE(peer.hear(wire::FrameKind::kWelcome));
  shards_[0]->post([&answer](shard::Shard& shard) {
    answer.set_value({std::this_thread::get_id(), shard.connection_count()});
  });
  const auto [thread, connections] = answer.get_future().get();
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_EQ(connections, 1U);
}

TEST_F(ShardLoopTest, AProtocolErrorArrivesBeforeTheConnectionEnds) {
  BlockingPeer peer = connect(0);
  ASSERT_TRUE(peer.hear(wire::FrameKind::kWelcome));
  peer.say(wire::Hello{.max_frame = 1U << 20}, 7);
  const auto frame = peer.hear(wire::FrameKind::kError);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.correlation, 7U);
  EXPECT_FALSE(peer.hear(wire::FrameKind::kPong));
}

TEST_F(ShardLoopTest, WhoEndsItsSideStillHearsWhatTheSocketHadNoRoomFor) {
  BlockingPeer sub = connect(0);
  wire::Subscribe subscribe;
  subscribe.subscription = 1;
  subscribe.filters = {"a"};
  subscribe.max_bytes = 64U << 20;
  subscribe.credit_messages = 1000;
  subscribe.credit_bytes = 64U << 20;
  sub.say(subscribe, 2);
  ASSERT_TRUE(sub.hear(wire::FrameKind::kSubscribed));
  BlockingPeer pub = connect(0);
  for (std::uint64_t i = 1; i <= 40; ++i) {  // more than the kernel keeps of one connection
    pub.publish(i, "a", std::string(500'000, 'x'));
    ASSERT_TRUE(pub.hear(wire::FrameKind::kReceipt));
  }
  sub.publish(1, "b", "last");
  sub.half_close();
  const auto connections = [this] {
    std::promise<std::size_t> answer;
    shards_[0]->post([&](shard::Shard& shard) { answer.set_value(shard.connection_count()); });
    return answer.get_future().get();
  };
  while (connections() == 2) std::this_thread::yield();
  EXPECT_EQ(connections(), 1U);
  EXPECT_TRUE(sub.hear(wire::FrameKind::kReceipt));
  EXPECT_FALSE(sub.hear(wire::FrameKind::kReceipt));
}

class CrowdedShardLoopTest : public ShardLoopTest {
 protected:
  CrowdedShardLoopTest() : ShardLoopTest(1) {}
};

TEST_F(CrowdedShardLoopTest, OneTooManyIsToldSo) {
  BlockingPeer first = connect(0);
  ASSERT_TRUE(first.hear(wire::FrameKind::kWelcome));
  auto [ours, theirs] = tcp_pair();
  shards_[0]->adopt(std::move(theirs));
  BlockingPeer second(std::move(ours));
  const auto frame = second.hear(wire::FrameKind::kError);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->as<wire::ErrorFrame>().code,
            static_cast<std::uint16_t>(base::ErrorCode::kConnectionLimit));
  EXPECT_FALSE(second.hear(wire::FrameKind::kPong));
}

}  // namespace
}  // namespace sluice::testing
