// publish_ticket.h: where is this publish now, should it be withdrawn?
//
// A publish with a ticket travels in a batch of its own, since the broker withdraws whole
// publishes.
//
// Owner:    shared by whoever may withdraw it and by the batch, until it is sent.
// Thread:   the I/O thread, once the publish has been appended.
// Tests:    tests/unit/client/withdraw_test.cc

#pragma once

#include <cstdint>
#include <memory>
#include <sluice/publisher.h>
#include <string>

#include "client/src/slot.h"

namespace sluice::detail {

class Lane;

struct PublishTicket {
  enum class State : std::uint8_t {
    kWaiting,  // in this client
    kSent,
    kAgain,  // it was sent on a connection that is lost, and waits to be sent again
    kGone,   // taken out, refused, or expired before it was sent
  };
  State state = State::kWaiting;
  bool is_withdrawn = false;  // the broker was asked to take it back: it is not sent again
  // Of what was sent:
  std::uint64_t connection = 0;  // PublishPump's count of connections
  std::uint64_t number = 0;
  std::uint32_t topic = 0;  // id; 0 when `name` is set
  std::string name{};
};

/// A wish to withdraw.
struct WithdrawRequest {
  std::shared_ptr<Lane> lane;
  std::shared_ptr<PublishTicket> ticket;
  bool only_waiting = false;  // the broker removes it by itself
  std::shared_ptr<Slot<Withdrawal>> slot;
};

}  // namespace sluice::detail
