// manual_executor.h: ManualExecutor: virtual time for tests.

#pragma once

#include "libs/async/manual_executor.h"
