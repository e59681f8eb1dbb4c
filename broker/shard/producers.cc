#include "broker/shard/producers.h"

#include <utility>

#include "libs/base/assert.h"

namespace sluice::shard {

template <typename Letter>
void Producers::post(model::ShardId to, Letter letter) {
  core_.mail.post(to, std::move(letter));
  core_.metrics.mailbox_posted.add();
}

// --- The holder's side ---------------------------------------------------------------------

void Producers::claim(Connection& connection) {
  const ProducerClaimLetter letter{connection.producer_id, connection.producer_epoch,
                                   connection.id};
  const model::ShardId home = home_of(connection.producer_id);
  if (home == core_.id) {
    on_claim(core_.id, letter);
  } else {
    post(home, letter);
  }
}

void Producers::on_lease(ProducerLeaseLetter&& letter) {
  Connection* connection = core_.find(letter.connection);
  if (letter.epoch == 0) {
    if (connection != nullptr) recalled_(*connection);
    return;
  }
  if (connection == nullptr) {  // it has gone since
    give_back(letter.producer, std::move(letter.state));
    return;
  }
  connection->producer_epoch = letter.epoch;
  const auto [it, made] =
      leases_.emplace(letter.producer, Lease{letter.connection, std::move(letter.state)});
  ASSERT(made);
  connection->producer = &it->second.state;
  granted_(*connection);
}

void Producers::on_recall(const ProducerRecallLetter& letter) {
  const auto it = leases_.find(letter.producer);
  if (it == leases_.end()) return;  // it is on its way back already
  Connection* connection = core_.find(it->second.connection);
  ASSERT(connection != nullptr);  // a connection that ends releases its lease at once
  recalled_(*connection);
}

void Producers::release(Connection& connection) {
  if (connection.producer == nullptr) return;
  connection.producer = nullptr;
  auto lease = leases_.extract(connection.producer_id);
  ASSERT(!lease.empty() && lease.mapped().connection == connection.id);
  give_back(connection.producer_id, std::move(lease.mapped().state));
}

void Producers::give_back(std::uint64_t producer, session::ProducerState&& state) {
  ProducerReturnLetter letter{producer, std::move(state)};
  const model::ShardId home = home_of(producer);
  if (home == core_.id) {
    on_return(std::move(letter));
  } else {
    post(home, std::move(letter));
  }
}

// --- The home's side -----------------------------------------------------------------------

void Producers::on_claim(model::ShardId from, const ProducerClaimLetter& letter) {
  auto it = homes_.find(letter.producer);
  if (it == homes_.end()) {
    if (idle_.size() >= core_.options.max_producers) {
      homes_.erase(idle_.front());
      idle_.pop_front();
    }
    it = homes_.try_emplace(letter.producer).first;
    it->second.idle = idle_.insert(idle_.end(), letter.producer);
  }
  Home& home = it->second;
  if (letter.epoch != 0 && letter.epoch < home.epoch) {
    lease(from, {letter.producer, 0, letter.connection, {}});
    return;
  }
  home.epoch = letter.epoch != 0 ? letter.epoch : home.epoch + 1;
  home.waiting.push_back({from, letter.connection, home.epoch});
  if (home.leased) {
    recall(home, letter.producer);
  } else {
    grant_next(home, letter.producer);
  }
}

void Producers::lease(model::ShardId to, ProducerLeaseLetter&& letter) {
  if (to == core_.id) {
    on_lease(std::move(letter));  // may give it back at once, and grant it to the one after
  } else {
    post(to, std::move(letter));
  }
}

void Producers::recall(Home& home, std::uint64_t producer) {
  if (std::exchange(home.recalling, true)) return;
  const ProducerRecallLetter letter{producer};
  if (home.holder == core_.id) {
    on_recall(letter);
  } else {
    post(home.holder, letter);
  }
}

void Producers::grant_next(Home& home, std::uint64_t producer) {
  ASSERT(!home.leased && !home.waiting.empty());
  const Waiting next = home.waiting.front();
  home.waiting.pop_front();
  home.leased = true;
  home.recalling = false;
  home.holder = next.shard;
  idle_.erase(home.idle);
  lease(next.shard, {producer, next.epoch, next.connection, std::exchange(home.state, {})});
  Home& after = homes_.at(producer);
  if (after.leased && !after.waiting.empty()) recall(after, producer);
}

void Producers::on_return(ProducerReturnLetter&& letter) {
  const auto it = homes_.find(letter.producer);
  ASSERT(it != homes_.end() && it->second.leased);
  Home& home = it->second;
  home.state = std::move(letter.state);
  home.leased = false;
  home.recalling = false;
  home.idle = idle_.insert(idle_.end(), letter.producer);
  if (!home.waiting.empty()) grant_next(home, letter.producer);
}

}  // namespace sluice::shard
