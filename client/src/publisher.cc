#include <sluice/publisher.h>
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

struct Done {};

}  // namespace

async::Task<Status> append_when_room(std::shared_ptr<Lane> lane, async::Context context,
                                     std::string topic, Outgoing message, ReceiptWaiter waiter) {
  async::Executor& executor = co_await async::this_executor();
  take_deadline(message, context, executor.clock());
  async::Event& room = lane->hub()->room();
  for (;;) {
    const Status alive = context.check();
    if (!alive) co_return alive;
    // Reset first: room that comes after the attempt below then sets it again.
    room.reset();
    const Status appended = lane->append(topic, message, waiter);
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
  ReceiptWaiter waiter = [slot](const Result<Receipt>& receipt) { slot->set(receipt); };
  const Status appended = co_await append_when_room(std::move(lane), context, std::move(topic),
                                                    std::move(message), std::move(waiter));
  if (!appended) co_return base::fail(appended.error());
  Result<Receipt> receipt = co_await Slot<Receipt>::wait(std::move(slot), std::move(context));
  co_return receipt;
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

async::Task<Status> Publisher::flush(async::Context context) {
  return detail::settle(lane_, std::move(context));
}

std::string_view Publisher::topic() const noexcept { return lane_->topic(); }

PublishTotals Publisher::totals() const { return lane_->totals(); }

}  // namespace sluice
