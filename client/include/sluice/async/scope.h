// scope.h: Scope: tasks that are waited for.

#pragma once

#include "libs/async/scope.h"
