#include <sluice/publisher.h>
#include <sluice/trace.h>
#include <utility>

#include "client/src/lane.h"
#include "client/src/publishing.h"
#include "client/src/slot.h"

namespace sluice {
namespace detail {
namespace {

// The earlier of the message's own deadline and the context's, which is of another clock.
void take_deadline(Outgoing& message, const async::Context& context, const base::Clock& clock) {
  if (context.deadline() == base::kNever) return;
  const WallTime deadline = clock.wall_now() + (context.deadline() - clock.now());
  if (!message.deadline || deadline < *message.deadline) message.deadline = deadline;
}

// What the context carries goes along, unless the message says it itself. Views into `context`.
void take_trace(Outgoing& message, const async::Context& context) {
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    for (const auto& header : message.headers) {
      if (header.first == name) return;
    }
    message.headers.emplace_back(name, value);
  };
  add(kTraceparentHeader, traceparent_of(context));
  add(kTracestateHeader, tracestate_of(context));
  add(kBaggageHeader, baggage_of(context));
}

struct Done {};

// How long a cancelled wait stays for the broker's word on what it took back.
constexpr Duration kWithdrawTime = std::chrono::milliseconds(500);

std::string withdrawal_text(const Result<Withdrawal>& withdrawal) {
  if (!withdrawal) return "how much was withdrawn is unknown: " + withdrawal.error().message();
  if (!withdrawal->was_sent) return "it had not been sent";
  return std::to_string(withdrawal->copies) + " copies were withdrawn";
}

}  // namespace

async::Task<Status> append_when_room(std::shared_ptr<Lane> lane, async::Context context,
                                     std::string topic, Outgoing message, Interest interest) {
  async::Executor& executor = co_await async::this_executor();
  take_deadline(message, context, executor.clock());
  take_trace(message, context);
  async::Event& room = lane->hub()->room();
  for (;;) {
    const Status alive = context.check();
    if (!alive) co_return alive;
    // Reset first: room that comes after the attempt below then sets it again.
    room.reset();
    const Status appended = lane->append(topic, message, interest);
    if (appended || appended.error().code != ErrorCode::kWouldBlock) co_return appended;
    const Status waited = co_await room.wait(context);
    if (!waited) co_return waited;
  }
}

async::Task<Result<Receipt>> append_and_wait(std::shared_ptr<Lane> lane, async::Context context,
                                             std::string topic, Outgoing message) {
  if (lane->options().receipts != Receipts::kAll) {
    co_return base::fail(ErrorCode::kBadArgument, "this publisher asks for no receipts");
  }
  auto slot = std::make_shared<Slot<Receipt>>();
  auto ticket = std::make_shared<PublishTicket>();
  Interest interest;
  interest.waiter = [slot](const Result<Receipt>& receipt) { slot->set(receipt); };
  interest.ticket = ticket;
  const Status appended = co_await append_when_room(lane, context, std::move(topic),
                                                    std::move(message), std::move(interest));
  if (!appended) co_return base::fail(appended.error());
  Result<Receipt> receipt = co_await Slot<Receipt>::wait(std::move(slot), context);
  if (receipt || !context.is_done()) co_return receipt;
  Error ended = co_await withdraw_after(std::move(lane), std::move(ticket), std::move(context),
                                        std::move(receipt.error()));
  co_return base::fail(std::move(ended));
}

async::Task<Error> withdraw_after(std::shared_ptr<Lane> lane, std::shared_ptr<PublishTicket> ticket,
                                  async::Context context, Error error) {
  auto slot = std::make_shared<Slot<Withdrawal>>();
  WithdrawRequest request;
  request.ticket = std::move(ticket);
  request.slot = slot;
  // What is past its deadline, or went with a connection, the broker ends by itself.
  request.only_waiting = context.err() != ErrorCode::kCanceled;
  const bool may_be_sent = !request.only_waiting;
  const std::shared_ptr<Hub> hub = lane->hub();
  request.lane = std::move(lane);
  hub->queue_withdrawal(std::move(request));
  if (!may_be_sent) co_return error;
  async::Executor& executor = co_await async::this_executor();
  const async::Context nothing;
  async::CancelSource limit(nothing, executor, executor.clock().now() + kWithdrawTime);
  const Result<Withdrawal> withdrawal =
      co_await Slot<Withdrawal>::wait(std::move(slot), limit.context());
  error.detail += (error.detail.empty() ? "" : "; ") + withdrawal_text(withdrawal);
  co_return error;
}

async::Task<Status> settle(std::shared_ptr<Lane> lane, async::Context context) {
  auto slot = std::make_shared<Slot<Done>>();
  lane->when_settled([slot](const Status& status) {
    if (status) return slot->set(Done());
    slot->set(base::fail(status.error()));
  });
  const Result<Done> done = co_await Slot<Done>::wait(std::move(slot), std::move(context));
  if (!done) co_return base::fail(done.error());
  co_return Status();
}

}  // namespace detail

Status Publisher::try_publish(ByteView payload) { return lane_->append(payload); }

Status Publisher::try_publish(const Outgoing& message) {
  return lane_->append(lane_->topic(), message);
}

async::Task<Status> Publisher::publish(async::Context context, Outgoing message) {
  return detail::append_when_room(lane_, std::move(context), lane_->topic(), std::move(message),
                                  {});
}

async::Task<Result<Receipt>> Publisher::publish_and_wait(async::Context context, Outgoing message) {
  return detail::append_and_wait(lane_, std::move(context), lane_->topic(), std::move(message));
}

async::Task<Result<Publication>> Publisher::begin(async::Context context, Outgoing message) {
  auto slot = std::make_shared<detail::Slot<Receipt>>();
  auto ticket = std::make_shared<detail::PublishTicket>();
  detail::Interest interest;
  interest.ticket = ticket;
  if (lane_->options().receipts == Receipts::kAll) {
    interest.waiter = [slot](const Result<Receipt>& receipt) { slot->set(receipt); };
  } else {
    slot->set(base::fail(ErrorCode::kBadArgument, "this publisher asks for no receipts"));
  }
  const std::shared_ptr<detail::Lane> lane = lane_;  // `this` need not outlive the wait
  std::string topic = lane->topic();
  const Status appended = co_await detail::append_when_room(
      lane, std::move(context), std::move(topic), std::move(message), std::move(interest));
  if (!appended) co_return base::fail(appended.error());
  co_return Publication(lane, std::move(ticket), std::move(slot));
}

Publication::Publication(std::shared_ptr<detail::Lane> lane,
                         std::shared_ptr<detail::PublishTicket> ticket,
                         std::shared_ptr<detail::Slot<Receipt>> receipt)
    : lane_(std::move(lane)), ticket_(std::move(ticket)), receipt_(std::move(receipt)) {}

async::Task<Result<Receipt>> Publication::receipt(async::Context context) {
  return detail::Slot<Receipt>::wait(receipt_, std::move(context));
}

async::Task<Result<Withdrawal>> Publication::cancel(async::Context context) {
  auto slot = std::make_shared<detail::Slot<Withdrawal>>();
  detail::WithdrawRequest request;
  request.lane = lane_;
  request.ticket = ticket_;
  request.slot = slot;
  lane_->hub()->queue_withdrawal(std::move(request));
  return detail::Slot<Withdrawal>::wait(std::move(slot), std::move(context));
}

async::Task<Status> Publisher::flush(async::Context context) {
  return detail::settle(lane_, std::move(context));
}

std::string_view Publisher::topic() const noexcept { return lane_->topic(); }

PublishTotals Publisher::totals() const { return lane_->totals(); }

}  // namespace sluice
