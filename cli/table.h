// table.h: rows in aligned columns, for people.
//
// Numbers, and whatever else starts with a digit or a sign, stand to the right in their column. A
// column is as wide as its widest cell; nothing is cut.
//
// Thread:   values; any thread.
// Tests:    tests/unit/cli/table_test.cc

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  /// Requires: as many cells as the head has.
  void add(std::vector<std::string> row);
  bool empty() const noexcept { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// 1234567 as "1 234 567": for people; programs read -o json.
std::string grouped(unsigned long long number);

/// "1 message", "1 234 messages".
std::string counted(unsigned long long count, std::string_view noun);

}  // namespace sluice::cli
