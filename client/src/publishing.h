// publishing.h: what publisher and client share: waiting for room, and for a receipt.
//
// Thread:   any executor.
// Errors:   those of Lane::append, of the context, and of the receipt's wait.

#pragma once

#include <memory>
#include <sluice/publisher.h>
#include <string>

#include "client/src/lane.h"
#include "libs/async/task.h"

namespace sluice::detail {

/// Appends as soon as there is room. The context's deadline becomes the message's, if earlier, and
/// its trace and baggage become headers (trace.h).
async::Task<Status> append_when_room(std::shared_ptr<Lane> lane, async::Context context,
                                     std::string topic, Outgoing message, Interest interest);

/// The same, and waits for the receipt.
async::Task<Result<Receipt>> append_and_wait(std::shared_ptr<Lane> lane, async::Context context,
                                             std::string topic, Outgoing message);

/// For a publish whose wait failed with `error`. If that was the context's end, the publish is
/// withdrawn, and what is returned says how much of it was.
async::Task<Error> withdraw_after(std::shared_ptr<Lane> lane, std::shared_ptr<PublishTicket> ticket,
                                  async::Context context, Error error);

/// Waits until everything appended to `lane` so far is settled.
async::Task<Status> settle(std::shared_ptr<Lane> lane, async::Context context);

}  // namespace sluice::detail
