// completion.h: completion scripts for shells, written from the model of the command line itself.
//
// What a script offers are the verbs and options that the parser knows; values are offered for an
// option whose type is written as "a|b|c", and file names for one of type FILE.
//
// Thread:   any.
// Tests:    tests/unit/cli/completion_test.cc

#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sluice::cli {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace sluice::cli
