// channel.h: Channel<T>: handing values from task to task.

#pragma once

#include "libs/async/channel.h"
