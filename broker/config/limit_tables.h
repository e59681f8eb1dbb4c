// limit_tables.h: what do the [[limit]] tables of broker.toml say?
//
// Each table is one limit; its keys are those of broker/model/limit_fields.def. All problems are
// found, each with its place.
//
// Thread:   the thread that loads the configuration.
// Errors:   as Problems.
// Tests:    tests/unit/broker/config/limit_tables_test.cc

#pragma once

#include <vector>

#include "broker/config/problem.h"
#include "broker/config/toml_file.h"
#include "broker/model/limit_spec.h"

namespace sluice::config {

inline constexpr std::string_view kLimitTable = "limit";

/// Takes the entries of [[limit]] tables, adds what is wrong to `problems`, and returns the limits
/// that are right. More than `limits_max` of them are a problem.
std::vector<model::LimitSpec> read_limits(const std::vector<TomlEntry>& entries,
                                          std::size_t limits_max, Problems& problems);

}  // namespace sluice::config
