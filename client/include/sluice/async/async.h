// async.h: the coroutine library that the client is made of, whole.
//
// Task, Scope, Context, Channel, Event, sleep_for, executors, start and block_on. The headers of
// the same names beside this one have the single parts.

#pragma once

#include <sluice/async/channel.h>
#include <sluice/async/context.h>
#include <sluice/async/event.h>
#include <sluice/async/executor.h>
#include <sluice/async/scope.h>
#include <sluice/async/sleep.h>
#include <sluice/async/start.h>
#include <sluice/async/task.h>
