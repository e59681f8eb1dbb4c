// error.h: how do calls of this library fail, and what are the units of its arguments?
//
// Every call that can fail returns Result<T> or Status (Result<void>); nothing is thrown. Each
// ErrorCode has a name ("queue-full"), a text, a remedy and a class that says whether a retry can
// help: error.info(). `sluice errors CODE` prints the same.
//
// Thread:   values; any thread.

#pragma once

#include "libs/base/bytes.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice {

using base::ByteView;
using base::Duration;
using base::Error;
using base::ErrorClass;
using base::ErrorCode;
using base::MonotonicTime;
using base::Result;
using base::Status;
using base::WallTime;

/// The bytes of a text, for keys and payloads. Nothing is copied.
using base::as_bytes;
/// The text of bytes. Nothing is copied or checked.
using base::as_text;

}  // namespace sluice
