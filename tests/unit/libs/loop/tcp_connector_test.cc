#include "libs/loop/tcp_connector.h"

#include "tests/unit/libs/loop/tcp_fixture.h"

namespace sluice::loop {
namespace {

// A port on which nobody listens: one that was bound a moment ago.
HostPort deserted_address(Loop& loop) {
  TcpListener listener(loop, {[](OwnedFd) {}, {}});
  EXPECT_TRUE(listener.listen({"127.0.0.1", 0}));
  return listener.local_address();
}

TEST(TcpConnector, ANameIsResolvedAndItsAddressesAreTriedInTurn) {
  Loop loop;
  OwnedFd accepted;
  TcpListener listener(loop, {[&](OwnedFd fd) { accepted = std::move(fd); }, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  TcpConnector connector(loop);
  bool connected = false;
  // localhost may be ::1 first, where nobody listens.
  connector.connect({"localhost", listener.local_address().port}, [&](base::Result<OwnedFd> fd) {
    ASSERT_TRUE(fd) << fd.error().message();
    connected = true;
  });
  EXPECT_TRUE(connector.is_connecting());
  while (!connected || !accepted) loop.run_once();
  EXPECT_FALSE(connector.is_connecting());
}

TEST(TcpConnector, ARefusedConnectionSaysWhereAndWhy) {
  Loop loop;
  const HostPort address = deserted_address(loop);
  TcpConnector connector(loop);
  base::Error error;
  bool done = false;
  connector.connect(address, [&](base::Result<OwnedFd> fd) {
    ASSERT_FALSE(fd);
    error = fd.error();
    done = true;
  });
  while (!done) loop.run_once();
  EXPECT_EQ(error.code, base::ErrorCode::kConnectFailed);
  EXPECT_NE(error.detail.find(address.text()), std::string::npos) << error.detail;
  EXPECT_NE(error.detail.find("refused"), std::string::npos) << error.detail;
}

TEST(TcpConnector, ANameThatIsNoneFailsWithTheName) {
  Loop loop;
  TcpConnector connector(loop);
  base::Error error;
  bool done = false;
  connector.connect({"no such host", 1}, [&](base::Result<OwnedFd> fd) {
    ASSERT_FALSE(fd);
    error = fd.error();
    done = true;
  });
  while (!done) loop.run_once();
  EXPECT_EQ(error.code, base::ErrorCode::kConnectFailed);
  EXPECT_NE(error.detail.find("no such host"), std::string::npos) << error.detail;
}

TEST(TcpConnector, ACancelledAttemptIsSilentAndTheNextOneWorks) {
  Loop loop;
  OwnedFd accepted;
  TcpListener listener(loop, {[&](OwnedFd fd) { accepted = std::move(fd); }, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  TcpConnector connector(loop);
  connector.connect(listener.local_address(), [&](base::Result<OwnedFd>) { FAIL(); });
  connector.cancel();
  bool connected = false;
  connector.connect(listener.local_address(), [&](base::Result<OwnedFd>) { connected = true; });
  while (!connected) loop.run_once();
}

TEST(TcpConnector, TheCallbackMayStartTheNextAttempt) {
  Loop loop;
  const HostPort address = deserted_address(loop);
  TcpConnector connector(loop);
  int attempts = 0;
  std::function<void(base::Result<OwnedFd>)> again = [&](base::Result<OwnedFd>) {
    if (++attempts < 3) connector.connect(address, again);
  };
  connector.connect(address, again);
  while (attempts < 3) loop.run_once();
  EXPECT_FALSE(connector.is_connecting());
}

}  // namespace
}  // namespace sluice::loop
