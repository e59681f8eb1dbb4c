// toml_file.h: what stands in a TOML file, and exactly where?
//
// The file is taken apart into table, key and value, each with its place; what the keys mean is
// not known here. A file that is not TOML is one problem, since nothing after it can be trusted.
//
// Thread:   any.
// Limits:   256 KiB and 64 levels of brackets; more is refused.
// Errors:   as Problems, never thrown.
// Source:   https://toml.io/en/v1.0.0, read by toml11
// Tests:    tests/unit/broker/config/toml_file_test.cc

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/config/problem.h"
#include "broker/config/setting.h"

namespace sluice::config {

struct TomlEntry {
  std::string table;  ///< dotted path; empty at the top of the file
  std::string key;
  Origin key_origin;
  Origin value_origin;
  Given given;
  bool is_table = false;  ///< stands for the table `key` itself
  bool in_array = false;  ///< of [[limit]]: it, or what stands in it; each begins with is_table
};

struct TomlFile {
  std::vector<TomlEntry> entries;  ///< in the order of the file
  Problems problems;
};

/// `name` is shown in places.
TomlFile parse_toml(std::string_view text, const std::string& name);

/// The same for a file on disk.
TomlFile read_toml(const std::string& path);

/// The line with carets under `length` bytes from `column` (from 1), cut where it is too long.
std::string excerpt(std::size_t line_number, std::string_view line, std::size_t column,
                    std::size_t length);

}  // namespace sluice::config
