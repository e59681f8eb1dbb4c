// shard_options.h: settings of the node as options of one shard.
//
// Thread:   pure; any.

#pragma once

#include "broker/config/settings.h"
#include "broker/shard/options.h"

namespace sluice::daemon {

/// Requires: settings that config::load() found nothing wrong with. Limits of the whole node are
/// shared out evenly, rounded up.
shard::Options shard_options(const config::Settings& settings);

/// The ladder a list of steps stands for.
base::Result<queue::Ladder> ladder_of(const config::List& steps);

}  // namespace sluice::daemon
