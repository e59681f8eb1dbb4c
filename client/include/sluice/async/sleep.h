// sleep.h: sleep_for: waiting for time to pass.

#pragma once

#include "libs/async/sleep.h"
