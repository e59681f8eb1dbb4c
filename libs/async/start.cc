#include "libs/async/start.h"

namespace sluice::async {

base::Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return {base::ErrorCode::kInternal, exception.what()};
  } catch (...) {
    return {base::ErrorCode::kInternal, "an exception of unknown type"};
  }
}

}  // namespace sluice::async
