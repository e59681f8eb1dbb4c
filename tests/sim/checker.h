// checker.h: one promise of the broker, and whether a run kept it.
//
// A checker looks at what clients said and heard (History, TestClient) and, where it says so, at
// the ledgers inside. It never changes anything.
//
// Owner:    World.
// Thread:   the test's.
// Tests:    tests/sim/mutants breaks the broker on purpose, once for each checker.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sim {

class World;

/// What was broken, and who saw it.
struct Finding {
  std::string checker{};
  std::string text{};
};

class Checker {
 public:
  virtual ~Checker() = default;
  virtual std::string_view name() const = 0;

  /// After each turn of a shard.
  virtual void after_turn(const World&, std::size_t /*shard*/) {}
  /// No shard has anything to do, and the network holds nothing back.
  virtual void when_quiet(const World&) {}
  /// Everybody has read and granted all, and time has passed.
  virtual void at_rest(const World&) {}
  /// Every client has gone.
  virtual void at_end(const World&) {}

  std::vector<Finding> take_findings() { return std::move(findings_); }

 protected:
  void broken(std::string text) {
    if (findings_.size() < kFindingsMax) findings_.push_back({std::string(name()), text});
  }

 private:
  static constexpr std::size_t kFindingsMax = 10;
  std::vector<Finding> findings_;
};

std::unique_ptr<Checker> make_ledger_checker();
std::unique_ptr<Checker> make_order_checker();
std::unique_ptr<Checker> make_gap_checker();
std::unique_ptr<Checker> make_receipt_checker();
std::unique_ptr<Checker> make_outcome_checker();
std::unique_ptr<Checker> make_bound_checker();
std::unique_ptr<Checker> make_deadline_checker();
std::unique_ptr<Checker> make_progress_checker();
std::unique_ptr<Checker> make_release_checker();

std::vector<std::unique_ptr<Checker>> make_checkers();

}  // namespace sluice::sim
