// context.h: Context and CancelSource: cancellation, deadlines and values.

#pragma once

#include "libs/async/context.h"
