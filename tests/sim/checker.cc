#include "tests/sim/checker.h"

namespace sluice::sim {

std::vector<std::unique_ptr<Checker>> make_checkers() {
  std::vector<std::unique_ptr<Checker>> checkers;
  checkers.push_back(make_ledger_checker());
  checkers.push_back(make_bound_checker());
  checkers.push_back(make_order_checker());
  checkers.push_back(make_gap_checker());
  checkers.push_back(make_receipt_checker());
  checkers.push_back(make_outcome_checker());
  checkers.push_back(make_deadline_checker());
  checkers.push_back(make_progress_checker());
  checkers.push_back(make_release_checker());
  return checkers;
}

}  // namespace sluice::sim
