#include "cli/table.h"

#include <algorithm>
#include <utility>

namespace sluice::cli {
namespace {

bool is_numeric(const std::string& cell) {
  if (cell.empty()) return true;
  const char first = cell.front();
  return (first >= '0' && first <= '9') || ((first == '-' || first == '+') && cell.size() > 1);
}

// Code points rather than bytes, so that names in UTF-8 keep their columns.
std::size_t width_of(const std::string& cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void Table::add(std::vector<std::string> row) {
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns);
  std::vector<bool> right(columns, !empty());
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string& cell = rows_[at][column];
      widths[column] = std::max(widths[column], width_of(cell));
      if (at > 0 && !is_numeric(cell)) right[column] = false;
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string space(widths[column] - width_of(row[column]), ' ');
      if (column > 0) line += "  ";
      line += right[column] ? space + row[column] : row[column] + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string grouped(unsigned long long number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ' ');
  }
  return digits;
}

std::string counted(unsigned long long count, std::string_view noun) {
  return grouped(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace sluice::cli
