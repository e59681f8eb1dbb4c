#include "libs/loop/wakeup.h"

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

namespace sluice::loop {
namespace {

TEST(Wakeup, PostsBeforeTheCallbackAreOneCall) {
  Loop loop;
  int calls = 0;
  Wakeup wakeup(loop, [&] { ++calls; });
  for (int i = 0; i < 100; ++i) wakeup.post();
  loop.run_once();
  loop.run_ready();
  EXPECT_EQ(calls, 1);
}

TEST(Wakeup, EverythingPostedByOtherThreadsIsSeen) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  Loop loop;
  std::atomic<int> posted{0};
  int seen = 0;
  Wakeup wakeup(loop, [&] {
    seen = posted.load();
    if (seen == kThreads * kPosts) loop.stop();
  });
  std::vector<std::thread> posters;
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&] {
      for (int n = 0; n < kPosts; ++n) {
        posted.fetch_add(1);
        wakeup.post();
      }
    });
  }
  loop.run();
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(seen, kThreads * kPosts);
}

TEST(Wakeup, MayBeDestroyedInItsOwnCallback) {
  Loop loop;
  std::unique_ptr<Wakeup> wakeup;
  int calls = 0;
  wakeup = std::make_unique<Wakeup>(loop, [&] {
    ++calls;
    wakeup.reset();
  });
  wakeup->post();
  loop.run_once();
  loop.run_ready();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(wakeup, nullptr);
}

}  // namespace
}  // namespace sluice::loop
