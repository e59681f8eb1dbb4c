// overloaded.h: one visitor of a variant, of one function for each alternative.
//
// Thread:   values; any thread.

#pragma once

namespace sluice::shard {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace sluice::shard
