// inspection_json.h: audits, drops and explanations as JSON, and what was asked for them.
//
//   audit    {"topic", "since_ms", "limit"}
//   drops    {"after": [by shard], "reason", "since_ms", "closed", "limit"}
//   explain  {"kind": "subscription"|"connection"|"topic", "name", "limit"}
//
// The fields are stable; new ones may be added. docs/guide/explain.md lists them.
//
// Thread:   any; no state.
// Limits:   kRowsMax rows of each kind and shard.
// Errors:   kBadArgument, kBadTopic.
// Tests:    tests/unit/broker/admin/inspection_json_test.cc, tests/integration/cli/explain_test.py

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/model/account.h"
#include "broker/model/drop_page.h"
#include "broker/model/explanation.h"
#include "libs/base/result.h"

namespace sluice::admin {

inline constexpr std::size_t kRowsMax = 500;

/// {"error": text}
std::string error_json(std::string_view text);

base::Result<model::AccountQuery> parse_audit(std::string_view body);
base::Result<model::DropQuery> parse_drops(std::string_view body);
base::Result<model::ExplainQuery> parse_explain(std::string_view body);

/// One answer of each shard. Lists are cut where the text would be larger than `max_bytes`.
std::string audit_json(std::vector<model::AccountPage>&& pages, const model::AccountQuery& query,
                       std::size_t max_bytes);
std::string drops_json(std::vector<model::DropPage>&& pages, base::WallTime now,
                       std::size_t max_bytes);
std::string explain_json(std::vector<model::Explanation>&& parts, const model::ExplainQuery& query,
                         std::size_t max_bytes);

}  // namespace sluice::admin
