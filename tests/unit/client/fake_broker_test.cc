#include "tests/unit/client/fake_broker.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <gtest/gtest.h>

namespace sluice::testing_support {

FakeBroker::FakeBroker(Behaviour behaviour) : behaviour_(behaviour) {
  std::promise<void> ready;
  thread_ = std::thread([this, &ready] {
    loop::Loop loop;
    loop_ = &loop;
    std::unique_ptr<loop::TcpListener> listener;
    loop::HostPort bound{"127.0.0.1", 0};
    make_listener_ = [&] {
      loop::TcpListener::Callbacks callbacks;
      callbacks.on_accept = [this, &loop](loop::OwnedFd socket) {
        peers_.push_back(std::make_unique<Peer>(*this, loop, std::move(socket)));
        note([](Seen& seen) { ++seen.connections; });
      };
      listener = std::make_unique<loop::TcpListener>(loop, std::move(callbacks));
      EXPECT_TRUE(listener->listen(bound));
      bound = listener->local_address();
    };
    make_listener_();
    address_ = bound.text();
    loop::Wakeup wakeup(loop, [this] {
      std::vector<std::function<void()>> work;
      {
        const std::lock_guard lock(mutex_);
        work.swap(work_);
      }
      for (const auto& piece : work) piece();
    });
    wakeup_ = &wakeup;
    stop_listening_ = [&listener] { listener.reset(); };
    ready.set_value();
    loop.run();
    peers_.clear();
    listener.reset();
  });
  ready.get_future().wait();
}

FakeBroker::~FakeBroker() {
  loop_->stop();
  thread_.join();
}

void FakeBroker::do_on_thread(std::function<void()> work) {
  std::promise<void> done;
  {
    const std::lock_guard lock(mutex_);
    work_.push_back([&] {
      work();
      done.set_value();
    });
  }
  wakeup_->post();
  done.get_future().wait();
}

bool FakeBroker::wait_for(const std::function<bool(const Seen&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return condition(seen_); });
}

Seen FakeBroker::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FakeBroker::with_peer(const std::function<void(Peer&)>& action) {
  do_on_thread([&] { action(*peers_.back()); });
}

void FakeBroker::set_behaviour(const Behaviour& behaviour) {
  do_on_thread([&] { behaviour_ = behaviour; });
}

void FakeBroker::drop_connections() {
  do_on_thread([&] { peers_.clear(); });
}

void FakeBroker::stop_listening() {
  do_on_thread([&] { stop_listening_(); });
}

void FakeBroker::listen_again() {
  do_on_thread([&] { make_listener_(); });
}

FakeBroker::Peer::Peer(FakeBroker& broker, loop::Loop& loop, loop::OwnedFd socket)
    : broker_(broker),
      reader_(broker.cursor_, 1U << 20),
      number_(broker.seen().connections + 1),
      stream_(loop, std::move(socket), *this) {
  stream_.start_reading();
}

void FakeBroker::Peer::write(const std::vector<std::byte>& bytes) {
  static_cast<void>(stream_.write_copy(bytes));
}

void FakeBroker::Peer::on_read(std::size_t bytes) {
  reader_.commit(bytes);
  for (;;) {
    auto frame = reader_.next();
    ASSERT_TRUE(frame) << frame.error().message();
    if (!frame->has_value()) break;
    handle(**frame);
  }
  reader_.settle();
}

void FakeBroker::Peer::handle(const wire::Frame& frame) {
  const base::ByteView body = frame.body.view();
  const std::uint64_t correlation = frame.header.correlation;
  switch (frame.header.kind) {
    case wire::FrameKind::kHello:
      return on_hello(frame);
    case wire::FrameKind::kOpenTopic:
      return on_open_topic(frame);
    case wire::FrameKind::kPublish:
      return on_publish(frame);
    case wire::FrameKind::kSubscribe:
      return on_subscribe(frame);
    case wire::FrameKind::kCancel:
      return on_cancel(frame);
    case wire::FrameKind::kUnsubscribe: {
      const auto unsubscribe = wire::decode<wire::Unsubscribe>(frame.header, body);
      wire::Unsubscribed account;
      account.subscription = unsubscribe->subscription;
      account.matched = 5;
      account.delivered = 3;
      account.dropped = 2;
      broker_.note([&](Seen& seen) { seen.unsubscribes.push_back(unsubscribe->subscription); });
      return send(account, correlation);
    }
    case wire::FrameKind::kCredit: {
      const auto credit = wire::decode<wire::Credit>(frame.header, body);
      return broker_.note([&](Seen& seen) { seen.credits.push_back(*credit); });
    }
    case wire::FrameKind::kPing: {
      const auto ping = wire::decode<wire::Ping>(frame.header, body);
      wire::Pong pong;
      pong.opaque = ping->opaque;
      broker_.note([](Seen& seen) { ++seen.pings; });
      if (broker_.behaviour_.pongs) send(pong, correlation);
      return;
    }
    case wire::FrameKind::kRequest: {
      const auto request = wire::decode<wire::Request>(frame.header, body);
      const std::string text = "{\"verb\":\"" + std::string(request->verb) + "\"}";
      wire::Reply reply;
      reply.error = request->verb == "bad" ? 103 : 0;
      reply.body = text;
      return send(reply, correlation);
    }
    default:
      return;
  }
}

void FakeBroker::Peer::on_hello(const wire::Frame& frame) {
  const auto hello = wire::decode<wire::Hello>(frame.header, frame.body.view());
  ASSERT_TRUE(hello);
  broker_.note(
      [&](Seen& seen) { seen.hellos.push_back({hello->producer_id, hello->producer_epoch}); });
  if (broker_.behaviour_.refuse_hello != 0) {
    wire::ErrorFrame error;
    error.code = broker_.behaviour_.refuse_hello;
    error.closes = true;
    return send(error);
  }
  wire::Welcome welcome;
  welcome.max_frame = 1U << 20;
  welcome.session_id = 0xa0 + static_cast<std::uint64_t>(broker_.seen().connections);
  welcome.named_grant = broker_.behaviour_.window;
  welcome.node_name = "fake";
  welcome.broker_version = "1.2.3";
  if (hello->producer_id != 0) {
    welcome.producer_epoch = hello->producer_epoch != 0 ? hello->producer_epoch : 1;
    welcome.producer_next = broker_.behaviour_.producer_next;
  }
  send(welcome, frame.header.correlation);
}

void FakeBroker::Peer::on_open_topic(const wire::Frame& frame) {
  const auto open = wire::decode<wire::OpenTopic>(frame.header, frame.body.view());
  ASSERT_TRUE(open);
  broker_.note([&](Seen& seen) { seen.opened.emplace_back(open->name); });
  if (broker_.behaviour_.refuse_open != 0) {
    wire::ErrorFrame error;
    error.code = broker_.behaviour_.refuse_open;
    return send(error, frame.header.correlation);
  }
  if (open->name == broker_.behaviour_.hold_open) {
    held_ = {std::string(open->name), frame.header.correlation};
    return;
  }
  this->open(std::string(open->name), frame.header.correlation);
}

void FakeBroker::Peer::open_held() { open(held_.first, held_.second); }

void FakeBroker::Peer::open(std::string name, std::uint64_t correlation) {
  topics_.push_back(std::move(name));
  wire::Topic topic;
  topic.topic = static_cast<std::uint32_t>(topics_.size());
  topic.grant = broker_.behaviour_.window;
  topic.name = topics_.back();
  send(topic, correlation);
}

void FakeBroker::Peer::on_publish(const wire::Frame& frame) {
  const auto publish = wire::decode<wire::Publish>(frame.header, frame.body.view());
  ASSERT_TRUE(publish);
  const auto header = wire::check_batch(publish->batch, 1U << 20);
  ASSERT_TRUE(header);
  SeenPublish seen_publish;
  seen_publish.number = frame.header.correlation;
  seen_publish.flags = frame.header.flags & 0x7F;
  seen_publish.topic =
      publish->topic == 0 ? std::string(publish->name) : topics_[publish->topic - 1];
  seen_publish.deadline_ns = publish->deadline_ns;
  seen_publish.connection = number_;
  seen_publish.producer_id = header->producer_id;
  seen_publish.producer_sequence = header->producer_sequence;
  std::vector<std::byte> storage;
  base::ByteView records = *wire::batch_records(publish->batch, storage);
  while (!records.empty()) {
    const wire::RecordView record = wire::take_record(records);
    seen_publish.payloads.emplace_back(base::as_text(record.payload));
    wire::HeaderCursor cursor(record);
    std::string_view name;
    std::string_view value;
    seen_publish.headers.clear();
    while (cursor.next(name, value)) seen_publish.headers.emplace_back(name, value);
  }
  const std::uint32_t messages = header->count;
  broker_.note([&](Seen& seen) { seen.publishes.push_back(seen_publish); });
  if (broker_.behaviour_.echo && !subscriptions_.empty()) {
    deliver(subscriptions_.front(), next_sequence_, seen_publish.payloads, seen_publish.topic);
    next_sequence_ += messages;
  }
  if (broker_.behaviour_.receipts) {
    wire::Receipt receipt;
    receipt.first_publish = frame.header.correlation;
    receipt.messages = messages;
    receipt.matched = 2 * messages;
    receipt.accepted = 2 * messages;
    send(receipt, frame.header.correlation);
  }
  if (broker_.behaviour_.give_grant_back) {
    wire::Grant grant;
    grant.topic = publish->topic;
    grant.bytes = publish->batch.size();
    send(grant);
  }
}

void FakeBroker::Peer::on_subscribe(const wire::Frame& frame) {
  const auto subscribe = wire::decode<wire::Subscribe>(frame.header, frame.body.view());
  ASSERT_TRUE(subscribe);
  SeenSubscribe seen_subscribe;
  seen_subscribe.id = subscribe->subscription;
  seen_subscribe.filters.assign(subscribe->filters.begin(), subscribe->filters.end());
  seen_subscribe.overflow = subscribe->overflow;
  seen_subscribe.credit_messages = subscribe->credit_messages;
  seen_subscribe.credit_bytes = subscribe->credit_bytes;
  seen_subscribe.resume = subscribe->resume;
  broker_.note([&](Seen& seen) { seen.subscribes.push_back(std::move(seen_subscribe)); });
  if (broker_.behaviour_.refuse_subscribe != 0) {
    wire::ErrorFrame error;
    error.code = broker_.behaviour_.refuse_subscribe;
    error.subject = subscribe->subscription;
    error.text = "as told";
    return send(error, frame.header.correlation);
  }
  subscriptions_.push_back(subscribe->subscription);
  wire::Subscribed subscribed;
  subscribed.subscription = subscribe->subscription;
  subscribed.max_messages = 10000;
  subscribed.next_sequence = 1;
  subscribed.overflow = "drop_oldest";
  if (subscribe->resume.session != 0) subscribed.resumed = broker_.behaviour_.resumed;
  send(subscribed, frame.header.correlation);
}

void FakeBroker::Peer::on_cancel(const wire::Frame& frame) {
  const auto cancel = wire::decode<wire::Cancel>(frame.header, frame.body.view());
  ASSERT_TRUE(cancel);
  broker_.note([&](Seen& seen) {
    seen.cancels.push_back({cancel->target, cancel->topic, std::string(cancel->name)});
  });
  if (broker_.behaviour_.refuse_cancel != 0) {
    wire::ErrorFrame error;
    error.code = broker_.behaviour_.refuse_cancel;
    return send(error, frame.header.correlation);
  }
  wire::Cancel answer;
  answer.target = cancel->target;
  answer.withdrawn = broker_.behaviour_.withdrawn;
  if (broker_.behaviour_.answer_cancel) send(answer, frame.header.correlation);
}

void FakeBroker::Peer::deliver(std::uint32_t subscription, std::uint64_t first_sequence,
                               const std::vector<std::string>& payloads, const std::string& topic) {
  const auto known = std::find(topics_.begin(), topics_.end(), topic);
  const auto index = static_cast<std::uint32_t>(known - topics_.begin());
  if (known == topics_.end()) topics_.push_back(topic);
  wire::Topic name;
  name.topic = index + 1;
  name.name = topic;
  send(name);
  wire::BatchBuilder builder;
  for (const std::string& payload : payloads) builder.add(base::as_bytes(payload));
  const std::vector<std::byte> batch = builder.finish({});
  wire::Deliver header;
  header.subscription = subscription;
  header.topic = index + 1;
  header.count = static_cast<std::uint32_t>(payloads.size());
  header.batch = batch;
  std::vector<std::byte> bytes;
  wire::encode(bytes, header, first_sequence);
  bytes.insert(bytes.end(), batch.begin(), batch.end());
  write(bytes);
}

}  // namespace sluice::testing_support
