// start.h: start, block_on and run_here: from plain code into coroutines.

#pragma once

#include "libs/async/run_here.h"
#include "libs/async/start.h"
