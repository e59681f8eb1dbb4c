// blocking.h: the client for programs without coroutines.
//
//   auto client = sluice::blocking::Client::connect({.server = "127.0.0.1:4880"});
//   client->publish("orders.eu.created", as_bytes("hello"));
//   auto subscription = client->subscribe({.filters = {"orders.>"}});
//   while (auto item = subscription->next(std::chrono::seconds(1))) { … }
//
// Each call waits in the calling thread, at most `timeout`; the work is done by the same client as
// in client.h, which async() gives access to.
//
// Owner:    the program. Subscriptions and publishers may outlive the client and then fail.
// Thread:   any thread but the client's I/O thread; one consumer per subscription at a time.
// Errors:   kDeadlineExceeded when the timeout passes, else those of client.h.
// Tests:    tests/unit/client/

#pragma once

#include <chrono>
#include <memory>
#include <sluice/client.h>

namespace sluice::blocking {

/// No timeout: wait as long as it takes.
inline constexpr Duration kForever = Duration::max();
inline constexpr Duration kDefaultTimeout = std::chrono::seconds(10);

class Subscription {
 public:
  Result<Item> next(Duration timeout = kForever);
  Result<BatchItem> next_batch(Duration timeout = kForever);
  Result<SubscriptionAccount> close(Duration timeout = kDefaultTimeout);
  SubscriptionInfo info() const { return subscription_.info(); }
  sluice::Subscription& async() noexcept { return subscription_; }

  explicit Subscription(sluice::Subscription subscription)
      : subscription_(std::move(subscription)) {}

 private:
  sluice::Subscription subscription_;
};

class Publication {
 public:
  /// What became of it; asked once.
  Result<Receipt> receipt(Duration timeout = kDefaultTimeout);
  /// Takes back the copies that nobody has got yet.
  Result<Withdrawal> cancel(Duration timeout = kDefaultTimeout);
  sluice::Publication& async() noexcept { return publication_; }

  explicit Publication(sluice::Publication publication) : publication_(std::move(publication)) {}

 private:
  sluice::Publication publication_;
};

class Publisher {
 public:
  /// Waits for room if need be.
  Status publish(const Outgoing& message, Duration timeout = kDefaultTimeout);
  Status publish(ByteView payload, Duration timeout = kDefaultTimeout);
  Result<Receipt> publish_and_wait(const Outgoing& message, Duration timeout = kDefaultTimeout);
  /// What may be withdrawn. The timeout is the message's deadline as well, as everywhere.
  Result<Publication> begin(const Outgoing& message, Duration timeout = kDefaultTimeout);
  Status flush(Duration timeout = kDefaultTimeout);
  PublishTotals totals() const { return publisher_.totals(); }
  sluice::Publisher& async() noexcept { return publisher_; }

  explicit Publisher(sluice::Publisher publisher) : publisher_(std::move(publisher)) {}

 private:
  sluice::Publisher publisher_;
};

class Client {
 public:
  static Result<Client> connect(ClientOptions options, Duration timeout = kDefaultTimeout);
  Client(Client&&) noexcept = default;
  Client& operator=(Client&&) noexcept = default;

  Result<Publisher> publisher(std::string_view topic, PublisherOptions options = {});
  /// Waits for room if need be, not for the receipt.
  Status publish(std::string_view topic, const Outgoing& message,
                 Duration timeout = kDefaultTimeout);
  Status publish(std::string_view topic, ByteView payload, Duration timeout = kDefaultTimeout);
  Result<Receipt> publish_and_wait(std::string_view topic, const Outgoing& message, Need need = {},
                                   Duration timeout = kDefaultTimeout);
  Status flush(Duration timeout = kDefaultTimeout);

  Result<Subscription> subscribe(SubscribeOptions options, Duration timeout = kDefaultTimeout);
  Result<Message> request(std::string_view topic, const Outgoing& message,
                          Duration timeout = kDefaultTimeout);
  Status reply(const MessageView& to, const Outgoing& message);
  Result<std::string> admin(std::string_view verb, std::string_view json_body = "{}",
                            Duration timeout = kDefaultTimeout);
  Result<Duration> ping(Duration timeout = kDefaultTimeout);
  Status drain(Duration timeout = kDefaultTimeout);

  PublishTotals totals() const { return client_->totals(); }
  ServerInfo server() const { return client_->server(); }
  ConnectionState state() const { return client_->state(); }
  sluice::Client& async() noexcept { return *client_; }

 private:
  explicit Client(std::unique_ptr<sluice::Client> client) : client_(std::move(client)) {}
  std::unique_ptr<sluice::Client> client_;
};

}  // namespace sluice::blocking
