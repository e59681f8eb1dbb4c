// event.h: Event: waiting until something has happened.

#pragma once

#include "libs/async/event.h"
