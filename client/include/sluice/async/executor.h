// executor.h: Executor and ThreadExecutor: where coroutines run.

#pragma once

#include "libs/async/executor.h"
#include "libs/async/thread_executor.h"
