#include "libs/loop/tcp_listener.h"

#include <fcntl.h>
#include <list>
#include <sys/resource.h>
#include <unistd.h>

#include "libs/loop/wakeup.h"
#include "tests/unit/libs/loop/tcp_fixture.h"

namespace sluice::loop {
namespace {

TEST(TcpListener, PortZeroBecomesARealPort) {
  Loop loop;
  TcpListener listener(loop, {[](OwnedFd) {}, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  EXPECT_EQ(listener.local_address().host, "127.0.0.1");
  EXPECT_GT(listener.local_address().port, 0);
}

TEST(TcpListener, AnAddressInUseIsSaidSo) {
  Loop loop;
  TcpListener first(loop, {[](OwnedFd) {}, {}});
  ASSERT_TRUE(first.listen({"127.0.0.1", 0}));
  TcpListener second(loop, {[](OwnedFd) {}, {}});
  const base::Status status = second.listen(first.local_address());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kAddressInUse);
}

TEST(TcpListener, ReusePortLetsTwoBindTheSame) {
  Loop loop;
  TcpListener first(loop, {[](OwnedFd) {}, {}});
  ASSERT_TRUE(first.listen({"127.0.0.1", 0}, {.reuse_port = true}));
  TcpListener second(loop, {[](OwnedFd) {}, {}});
  EXPECT_TRUE(second.listen(first.local_address(), {.reuse_port = true}));
}

TEST(TcpListener, AHostThatIsNoneIsABadArgument) {
  Loop loop;
  TcpListener listener(loop, {[](OwnedFd) {}, {}});
  const base::Status status = listener.listen({"no such host", 0});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kBadArgument);
}

TEST(TcpListener, AnAcceptedDescriptorWorksOnAnotherLoop) {
  Loop accepting;
  Loop serving;
  OwnedFd accepted;
  TcpListener listener(accepting, {[&](OwnedFd fd) { accepted = std::move(fd); }, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  OwnedFd connected;
  TcpConnector connector(accepting);
  connector.connect(listener.local_address(),
                    [&](base::Result<OwnedFd> fd) { connected = std::move(*fd); });
  while (!accepted || !connected) accepting.run_once();
  RecordingHandler server;
  RecordingHandler client;
  TcpStream served(serving, std::move(accepted), server);
  served.start_reading();
  TcpStream stream(accepting, std::move(connected), client);
  ASSERT_TRUE(stream.write_copy(base::as_bytes("over there")));
  while (server.received.size() < 10) serving.run_once();
  EXPECT_EQ(server.received, "over there");
}

TEST(TcpListener, PausedConnectionsWaitForResume) {
  Loop loop;
  int accepted = 0;
  TcpListener listener(loop, {[&](OwnedFd) { ++accepted; }, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  listener.pause();
  TcpConnector connector(loop);
  OwnedFd connected;
  connector.connect(listener.local_address(),
                    [&](base::Result<OwnedFd> fd) { connected = std::move(*fd); });
  while (!connected) loop.run_once();
  loop.run_ready();
  EXPECT_EQ(accepted, 0);
  listener.resume();
  while (accepted == 0) loop.run_once();
}

// Takes every descriptor the process may still have; gives them back at the end.
class DescriptorFamine {
 public:
  DescriptorFamine() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{64, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    for (;;) {
      OwnedFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!fd) break;
      taken_.push_back(std::move(fd));
    }
  }
  ~DescriptorFamine() {
    taken_.clear();
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  void give_back(int count) {
    for (int i = 0; i < count; ++i) taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::list<OwnedFd> taken_;
};

TEST(TcpListener, WithoutDescriptorsItShedsReportsOnceAndRecovers) {
  Loop loop;
  std::list<OwnedFd> accepted;
  std::vector<base::Error> errors;
  TcpListener listener(loop, {[&](OwnedFd fd) { accepted.push_back(std::move(fd)); },
                              [&](const base::Error& error) { errors.push_back(error); }});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  OwnedFd client;
  RecordingHandler handler;
  TcpConnector connector(loop);
  {
    // The connection is made in the kernel before the famine, and accepted within it.
    listener.pause();
    connector.connect(listener.local_address(),
                      [&](base::Result<OwnedFd> fd) { client = std::move(*fd); });
    while (!client) loop.run_once();
    TcpStream stream(loop, std::move(client), handler);
    stream.start_reading();
    DescriptorFamine famine;
    listener.resume();
    while (!handler.ended && handler.errors.empty()) loop.run_once();  // closed, not left waiting
    EXPECT_EQ(listener.shed_count(), 1U);
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].code, base::ErrorCode::kResourceExhausted);
    EXPECT_TRUE(accepted.empty());
    // Waiting for the retry costs no turns.
    const std::uint64_t turns = loop.take_stats().turns;
    for (int i = 0; i < 10; ++i) loop.run_ready();
    EXPECT_LE(loop.take_stats().turns, turns + 1);
    famine.give_back(4);
    OwnedFd second;
    connector.connect(listener.local_address(),
                      [&](base::Result<OwnedFd> fd) { second = std::move(*fd); });
    while (accepted.empty()) loop.run_once();
  }
  EXPECT_EQ(errors.size(), 1U);
}

TEST(TcpListener, MayBeDestroyedInItsAcceptCallback) {
  Loop loop;
  std::unique_ptr<TcpListener> listener;
  listener = std::make_unique<TcpListener>(
      loop, TcpListener::Callbacks{[&](OwnedFd) { listener.reset(); }, {}});
  ASSERT_TRUE(listener->listen({"127.0.0.1", 0}));
  TcpConnector connector(loop);
  connector.connect(listener->local_address(), [](base::Result<OwnedFd>) {});
  while (listener != nullptr || connector.is_connecting()) loop.run_once();
}

}  // namespace
}  // namespace sluice::loop
