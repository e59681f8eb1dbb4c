// client.h: how does a program talk to a Sluice broker?
//
//   ClientOptions options;
//   options.server = "127.0.0.1:4880";
//   auto client = co_await Client::connect(ctx, options);
//   Publisher orders = *(*client)->publisher("orders.eu.created");
//   auto receipt = co_await orders.publish_and_wait(ctx, {.payload = as_bytes("hello")});
//
// Programs without coroutines use blocking.h. A client has one connection and one I/O thread; it
// reconnects by itself with growing, jittered pauses, opens its topics and makes its subscriptions
// again, and says what happened: through on_state, and in each subscription as Gap and Reconnected.
//
// Owner:    the program. Destroying it closes the connection at once; drain() first for an orderly
//           end. Publishers and subscriptions may outlive it and then fail with kClosed.
// Thread:   any thread, except the destructor: not the client's own I/O thread.
// Limits:   max_pending_bytes of publishes not sent yet; the credit of each subscription.
// Errors:   kConnectFailed, kConnectionLost, kTimeout, kClosed, kDraining, kNoResponders,
//           kTakenOver, those the broker answers, and those of the context.
// Source:   docs/formats/wire.md, docs/guide/client.md
// Tests:    tests/unit/client/

#pragma once

#include <functional>
#include <memory>
#include <sluice/async/executor.h>
#include <sluice/publisher.h>
#include <sluice/subscription.h>
#include <string>
#include <string_view>

namespace sluice {

enum class ConnectionState : std::uint8_t {
  kConnecting,
  kConnected,
  kDisconnected,  ///< and trying again after `retry_in`
  kDraining,      ///< this client drains, or the broker has announced that it will close
  kClosed,        ///< for good
};
std::string_view connection_state_name(ConnectionState state) noexcept;  // "connected"

/// A change of the connection's state.
struct ConnectionEvent {
  ConnectionState state = ConnectionState::kConnecting;
  Error error{ErrorCode::kNone, {}};  ///< why, where there is a reason
  Duration retry_in{0};
  std::uint32_t attempt = 0;    ///< failed attempts in a row
  std::uint64_t unknown = 0;    ///< kDisconnected: messages sent whose outcome is now unknown
  std::uint64_t to_resend = 0;  ///< kDisconnected: those of a producer, which are sent again
};

/// A message from the broker about its own condition.
struct BrokerState {
  std::string what;   ///< pressure, breaker, drain, limit
  double level = 0;   ///< 0 none to 1 full
  std::string topic;  ///< empty: all
  ErrorCode reason = ErrorCode::kNone;
  Duration retry_after{0};
  std::string text;
};

struct ClientOptions {
  std::string server = "127.0.0.1:4880";               ///< HOST[:PORT]
  std::string name;                                    ///< shown to operators
  Duration connect_timeout = std::chrono::seconds(5);  ///< of one attempt, handshake included
  bool reconnect = true;
  Duration reconnect_min = std::chrono::milliseconds(100);
  Duration reconnect_max = std::chrono::seconds(5);
  Duration keep_alive = std::chrono::seconds(15);  ///< silence before a ping; twice that: lost
  std::size_t max_pending_bytes = 16U << 20;
  std::size_t max_batch_bytes = 64U << 10;  ///< a batch is closed when it has reached this
  std::uint32_t max_frame_bytes = 1U << 20;
  /// Not 0: an idempotent producer, by an id of its own (best drawn at random, and kept). Its
  /// publishes are numbered, and sent again after a lost connection where their receipt is missing;
  /// the broker publishes each number once. One client at a time: a second one with the same id
  /// takes over, and this one ends with kTakenOver.
  std::uint64_t producer_id = 0;
  /// The number of the first message; 0: after the last that the broker has of this producer. What
  /// is published with numbers that the broker has taken before gets the receipt kDuplicate.
  std::uint64_t first_sequence = 0;
  /// All are called on the client's I/O thread: must be quick and must not block. on_receipt gets
  /// the receipts of publishes that name their topic; publishers have their own.
  std::function<void(const Receipt&)> on_receipt = {};
  std::function<void(const ConnectionEvent&)> on_state = {};
  std::function<void(const BrokerState&)> on_broker_state = {};
};

/// What WELCOME said; of the current or latest connection.
struct ServerInfo {
  std::string address;  ///< the one connected to
  std::string node;
  std::string version;
  std::uint64_t session_id = 0;
  std::uint32_t max_frame_bytes = 0;
  std::uint64_t producer_next = 0;  ///< the broker had taken nothing of this producer from here on
};

namespace detail {
class ClientCore;
}

class Client {
 public:
  /// Starts a client and waits for its first connection; fails if that one fails.
  static async::Task<Result<std::unique_ptr<Client>>> connect(async::Context context,
                                                              ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// For publishing more than once to `topic`. Errors: kBadTopic, kReservedTopic.
  Result<Publisher> publisher(std::string_view topic, PublisherOptions options = {});

  /// For topics that are rarely used again: each publish names its topic.
  Status try_publish(std::string_view topic, const Outgoing& message);
  async::Task<Status> publish(async::Context context, std::string topic, Outgoing message);
  async::Task<Result<Receipt>> publish_and_wait(async::Context context, std::string topic,
                                                Outgoing message, Need need = {});
  /// Waits for the receipts of everything published through this client so far.
  async::Task<Status> flush(async::Context context);
  /// Sums over all publishers.
  PublishTotals totals() const;

  async::Task<Result<Subscription>> subscribe(async::Context context, SubscribeOptions options);

  /// Publishes with a private reply address and waits for the first answer. Errors: kNoResponders
  /// at once when nobody is subscribed to `topic`.
  async::Task<Result<Message>> request(async::Context context, std::string topic, Outgoing message);
  /// Answers a message that came from request(). Errors: kBadArgument when it asks for no answer.
  Status reply(const MessageView& to, Outgoing message);
  static bool wants_reply(const MessageView& message) noexcept;

  /// An administrative verb with a JSON body; the answer is JSON.
  async::Task<Result<std::string>> admin(async::Context context, std::string verb,
                                         std::string json_body = "{}");
  /// The time to the broker and back.
  async::Task<Result<Duration>> ping(async::Context context);

  /// Takes no more publishes, sends and has answered what was published, ends the subscriptions
  /// (what has arrived can still be taken), and closes. What is left when the context is done
  /// is abandoned and its error returned.
  async::Task<Status> drain(async::Context context);

  ConnectionState state() const;
  ServerInfo server() const;
  /// The client's own executor, on its I/O thread: for coroutines that only wait and pass on.
  async::Executor& executor() noexcept;

  explicit Client(std::shared_ptr<detail::ClientCore> core) : core_(std::move(core)) {}

 private:
  std::shared_ptr<detail::ClientCore> core_;
};

}  // namespace sluice
