// task.h: Task<T>: a function that can wait.

#pragma once

#include "libs/async/task.h"
