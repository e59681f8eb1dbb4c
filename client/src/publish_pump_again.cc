// What an idempotent producer sends again after a lost connection.

#include <map>
#include <utility>

#include "client/src/publish_pump.h"

namespace sluice::detail {

PublishPump::Lost PublishPump::on_lost(const Error& reason) {
  topics_by_id_.clear();
  std::erase_if(topics_, [](const auto& entry) { return entry.second.use_count() == 1; });
  for (auto& [name, topic] : topics_) topic->state = TopicState::State::kClosed;
  std::vector<InFlightPublishes::Kept> kept = in_flight_.take_kept();
  Lost lost;
  lost.unknown = in_flight_.lose(reason);
  // From the last to the first, each before what its lane has waiting.
  while (!kept.empty()) {
    put_back(std::move(kept.back()), reason, lost);
    kept.pop_back();
  }
  return lost;
}

void PublishPump::put_back(InFlightPublishes::Kept kept, const Error& reason, Lost& lost) {
  PublishTicket* ticket = kept.batch.ticket.get();
  if (ticket != nullptr && ticket->is_withdrawn) {  // whoever wanted it back does not want it sent
    lost.unknown += kept.batch.messages;
    return kept.lane->give_up(kept.batch, reason);
  }
  if (ticket != nullptr) ticket->state = PublishTicket::State::kAgain;
  lost.to_resend += kept.batch.messages;
  kept.batch.is_again = true;
  kept.lane->put_back(std::move(kept.batch));
  if (!std::exchange(kept.lane->sends_again, true)) again_.push_back(kept.lane);
  if (!std::exchange(kept.lane->is_active, true)) lanes_.push_back(std::move(kept.lane));
}

// Numbers that the broker sees out of order stay open there, in as many ranges as it sees holes,
// and it keeps only so many: so all topics are opened first, and then the lowest number goes first.
// A topic that has no grant left holds up only its own.
void PublishPump::send_again(Connection& connection) {
  std::erase_if(again_, [](const std::shared_ptr<Lane>& lane) {
    return lane->next_again() == 0 && std::exchange(lane->sends_again, false);
  });
  bool is_opening = false;
  for (const std::shared_ptr<Lane>& lane : again_) {
    if (ready_topic(connection, lane) == nullptr) is_opening = true;
  }
  if (is_opening) return;
  std::map<std::uint64_t, std::shared_ptr<Lane>> by_number;
  for (const std::shared_ptr<Lane>& lane : again_) by_number.emplace(lane->next_again(), lane);
  while (!by_number.empty() && connection.can_publish()) {
    const std::shared_ptr<Lane> lane = std::move(by_number.extract(by_number.begin()).mapped());
    if (send_next(connection, lane) == Next::kBlocked) continue;
    if (const std::uint64_t next = lane->next_again(); next != 0) by_number.emplace(next, lane);
  }
}

}  // namespace sluice::detail
