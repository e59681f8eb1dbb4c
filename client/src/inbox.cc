#include "client/src/inbox.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace sluice::detail {

std::string Inbox::prefix_of(std::uint64_t session_id) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "$inbox.%016" PRIx64 ".", session_id);
  return text.data();
}

void Inbox::set_prefix(std::string prefix) {
  const std::lock_guard lock(mutex_);
  prefix_ = std::move(prefix);
}

Result<Inbox::Ticket> Inbox::open(const std::string& prefix) {
  Ticket ticket;
  ticket.slot = std::make_shared<MessageSlot>();
  const std::lock_guard lock(mutex_);
  if (prefix != prefix_) {
    return base::fail(ErrorCode::kConnectionLost, "it was lost before the request was sent");
  }
  ticket.correlation = std::to_string(next_++);
  ticket.reply_to = prefix + "r";
  if (waiting_.size() >= sweep_at_) {
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(1024, waiting_.size() * 2);
  }
  waiting_[ticket.correlation] = ticket.slot;
  return ticket;
}

void Inbox::deliver(const MessageBatch& batch) {
  for (const MessageView& message : batch) {
    const auto correlation = message.header(kCorrelationHeader);
    if (!correlation) continue;
    std::shared_ptr<MessageSlot> slot;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiting_.find(*correlation);
      if (found == waiting_.end()) continue;
      slot = found->second.lock();
      waiting_.erase(found);
    }
    if (slot != nullptr) slot->set(batch.keep(message));
  }
}

void Inbox::fail_all(const Error& error) {
  std::map<std::string, std::weak_ptr<MessageSlot>, std::less<>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(waiting_, {});
    prefix_.clear();
  }
  for (const auto& [correlation, weak] : waiting) {
    if (const auto slot = weak.lock()) slot->set(base::fail(error));
  }
}

}  // namespace sluice::detail
