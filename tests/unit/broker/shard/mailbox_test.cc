#include "broker/shard/mailbox.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

namespace sluice::shard {
namespace {

constexpr model::ShardId kA(0);
constexpr model::ShardId kB(1);

class MailTest : public ::testing::Test {
 protected:
  MailTest() {
    office.set_wake(kA, [] {});
    office.set_wake(kB, [this] { ++wakes; });
  }
  static Letter letter(std::uint64_t token) { return InterestDoneLetter{token}; }
  std::vector<std::uint64_t> read(std::size_t most = SIZE_MAX) {
    std::vector<std::uint64_t> tokens;
    b.receive(
        [&](model::ShardId from, Letter&& received) {
          EXPECT_EQ(from, kA);
          tokens.push_back(std::get<InterestDoneLetter>(received).token);
        },
        [&] { return tokens.size() < most; });
    return tokens;
  }

  PostOffice office{2};
  Mail a{office, kA};
  Mail b{office, kB};
  std::atomic<int> wakes{0};
};

TEST_F(MailTest, WhatIsLeftUnreadComesFirstTheNextTime) {
  for (std::uint64_t token = 1; token <= 3; ++token) a.post(kB, letter(token));
  a.flush();
  a.post(kB, letter(4));
  a.flush();
  EXPECT_EQ(read(2), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(b.has_unread());
  EXPECT_EQ(read(1), (std::vector<std::uint64_t>{3}));
  EXPECT_EQ(read(), (std::vector<std::uint64_t>{4}));
  EXPECT_FALSE(b.has_unread());
}

TEST_F(MailTest, LettersLeaveWithTheFlushAndArriveInOrder) {
  a.post(kB, letter(1));
  a.post(kB, letter(2));
  EXPECT_TRUE(read().empty());
  EXPECT_TRUE(a.flush());
  EXPECT_EQ(read(), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(a.waiting(), 0U);
}

TEST_F(MailTest, AReceiverIsWokenOnceUntilItReads) {
  for (std::uint64_t turn = 1; turn <= 3; ++turn) {
    a.post(kB, letter(turn));
    EXPECT_TRUE(a.flush());
  }
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(read().size(), 3U);
  a.post(kB, letter(4));
  EXPECT_TRUE(a.flush());
  EXPECT_EQ(wakes, 2);
}

TEST_F(MailTest, AFullRingKeepsLettersWithTheirSender) {
  std::uint64_t token = 0;
  for (std::size_t turn = 0; turn < LetterRing::kRingEntries; ++turn) {
    a.post(kB, letter(++token));
    EXPECT_TRUE(a.flush());
  }
  a.post(kB, letter(++token));
  EXPECT_FALSE(a.flush());
  a.post(kB, letter(++token));
  EXPECT_FALSE(a.flush());
  EXPECT_EQ(a.refusals(), 2U);
  EXPECT_TRUE(a.congested(kB, 2));
  EXPECT_FALSE(a.congested(kB, 3));
  std::vector<std::uint64_t> seen = read();
  EXPECT_TRUE(a.flush());
  for (const std::uint64_t late : read()) seen.push_back(late);
  ASSERT_EQ(seen.size(), token);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i + 1);
}

TEST_F(MailTest, NoLetterAndNoWakeUpIsLostBetweenThreads) {
  constexpr std::uint64_t kLetters = 20000;
  std::atomic<bool> bell{false};
  office.set_wake(kB, [&bell] {
    bell.store(true);
    bell.notify_one();
  });
  std::thread sender([this] {
    for (std::uint64_t token = 1; token <= kLetters; ++token) {
      a.post(kB, letter(token));
      a.flush();
    }
    while (!a.flush()) std::this_thread::yield();
  });
  std::uint64_t next = 1;
  while (next <= kLetters) {
    bell.wait(false);  // hangs, and the test times out, if a wake-up is lost
    bell.store(false);
    for (const std::uint64_t token : read()) EXPECT_EQ(token, next++);
  }
  sender.join();
}

}  // namespace
}  // namespace sluice::shard
