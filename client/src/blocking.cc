#include <sluice/blocking.h>
#include <utility>

#include "libs/async/run_here.h"

namespace sluice::blocking {

using async::Context;
using async::run_here;

// What can be done without waiting is done without a coroutine.

Result<Item> Subscription::next(Duration timeout) {
  Result<Item> item = subscription_.try_next();
  if (item || item.error().code != ErrorCode::kWouldBlock) return item;
  return run_here(timeout, [this](Context context) { return subscription_.next(context); });
}

Result<BatchItem> Subscription::next_batch(Duration timeout) {
  Result<BatchItem> item = subscription_.try_next_batch();
  if (item || item.error().code != ErrorCode::kWouldBlock) return item;
  return run_here(timeout, [this](Context context) { return subscription_.next_batch(context); });
}

Result<SubscriptionAccount> Subscription::close(Duration timeout) {
  return run_here(timeout, [this](Context context) { return subscription_.close(context); });
}

Status Publisher::publish(const Outgoing& message, Duration timeout) {
  Status status = publisher_.try_publish(message);
  if (status || status.error().code != ErrorCode::kWouldBlock) return status;
  return run_here(timeout, [&](Context context) { return publisher_.publish(context, message); });
}

Status Publisher::publish(ByteView payload, Duration timeout) {
  Status status = publisher_.try_publish(payload);
  if (status || status.error().code != ErrorCode::kWouldBlock) return status;
  Outgoing message;
  message.payload = payload;
  return run_here(timeout, [&](Context context) { return publisher_.publish(context, message); });
}

Result<Receipt> Publisher::publish_and_wait(const Outgoing& message, Duration timeout) {
  return run_here(timeout,
                  [&](Context context) { return publisher_.publish_and_wait(context, message); });
}

Result<Publication> Publisher::begin(const Outgoing& message, Duration timeout) {
  auto begun =
      run_here(timeout, [&](Context context) { return publisher_.begin(context, message); });
  if (!begun) return base::fail(begun.error());
  return Publication(std::move(*begun));
}

Result<Receipt> Publication::receipt(Duration timeout) {
  return run_here(timeout, [this](Context context) { return publication_.receipt(context); });
}

Result<Withdrawal> Publication::cancel(Duration timeout) {
  return run_here(timeout, [this](Context context) { return publication_.cancel(context); });
}

Status Publisher::flush(Duration timeout) {
  return run_here(timeout, [this](Context context) { return publisher_.flush(context); });
}

Result<Client> Client::connect(ClientOptions options, Duration timeout) {
  auto client = run_here(timeout, [&](Context context) {
    return sluice::Client::connect(context, std::move(options));
  });
  if (!client) return base::fail(client.error());
  return Client(std::move(*client));
}

Result<Publisher> Client::publisher(std::string_view topic, PublisherOptions options) {
  auto publisher = client_->publisher(topic, std::move(options));
  if (!publisher) return base::fail(publisher.error());
  return Publisher(std::move(*publisher));
}

Status Client::publish(std::string_view topic, const Outgoing& message, Duration timeout) {
  Status status = client_->try_publish(topic, message);
  if (status || status.error().code != ErrorCode::kWouldBlock) return status;
  return run_here(timeout, [&](Context context) {
    return client_->publish(context, std::string(topic), message);
  });
}

Status Client::publish(std::string_view topic, ByteView payload, Duration timeout) {
  Outgoing message;
  message.payload = payload;
  return publish(topic, message, timeout);
}

Result<Receipt> Client::publish_and_wait(std::string_view topic, const Outgoing& message, Need need,
                                         Duration timeout) {
  return run_here(timeout, [&](Context context) {
    return client_->publish_and_wait(context, std::string(topic), message, std::move(need));
  });
}

Status Client::flush(Duration timeout) {
  return run_here(timeout, [this](Context context) { return client_->flush(context); });
}

Result<Subscription> Client::subscribe(SubscribeOptions options, Duration timeout) {
  auto subscription = run_here(
      timeout, [&](Context context) { return client_->subscribe(context, std::move(options)); });
  if (!subscription) return base::fail(subscription.error());
  return Subscription(std::move(*subscription));
}

Result<Message> Client::request(std::string_view topic, const Outgoing& message, Duration timeout) {
  return run_here(timeout, [&](Context context) {
    return client_->request(context, std::string(topic), message);
  });
}

Status Client::reply(const MessageView& to, const Outgoing& message) {
  return client_->reply(to, message);
}

Result<std::string> Client::admin(std::string_view verb, std::string_view json_body,
                                  Duration timeout) {
  return run_here(timeout, [&](Context context) {
    return client_->admin(context, std::string(verb), std::string(json_body));
  });
}

Result<Duration> Client::ping(Duration timeout) {
  return run_here(timeout, [this](Context context) { return client_->ping(context); });
}

Status Client::drain(Duration timeout) {
  return run_here(timeout, [this](Context context) { return client_->drain(context); });
}

}  // namespace sluice::blocking
