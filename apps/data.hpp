// What the two kinds of `rlt data` share: strings with labels, and episodes of an environment.
#pragma once

#include <string>

#include "commands.hpp"

namespace rlt {

struct DataCommand {
  RunConfig config;
  GivenFlags given;
  Index bin = 0;
  std::string lengths;
  Index sequences = 5;
  std::string write;      // folder for train, valid and test in the paper's text form
  std::string write_npy;  // the same as NumPy arrays
  std::string policy = "random";
  std::string write_csv;  // file for episodes
};

/// Records episodes of the environment: to stdout or --write-csv.
Exit record_episodes(const DataCommand& command);

}  // namespace rlt
