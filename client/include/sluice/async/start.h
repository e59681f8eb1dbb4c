// start.h: start and block_on: from plain code into coroutines.

#pragma once

#include "libs/async/start.h"
