// Levels of the x86-64 architecture. A portable build holds the program at each of them: "x86-64" is what people start,
// and it hands over to the highest that stands in its folder and that the processor runs, or to the one that RLT_LEVEL
// names. Another level gives the same results to rounding, with the same level they are the same bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rlt {

/// What this program was compiled for: a level, "native" for this kind of processor alone, or "default" on other
/// architectures.
std::string_view level();

/// The highest level that this processor, and its operating system, run in full; "default" on other architectures.
std::string_view processor_level();

/// The one of `present` to run on a processor of level `most`: `asked`, or if that is empty the highest. Error(usage)
/// when `asked` is no level, is more than the processor can, or is not present, and when nothing present is low enough.
std::string choose_level(const std::vector<std::string>& present, std::string_view most,
                         std::string_view asked);

/// What people should know whose program, of level `own`, is the only one in `present` and slower than a processor of
/// level `most` allows, because it was copied without the others, which belong into `folder`; empty where nothing is amiss.
std::string missing_levels(std::string_view own, const std::vector<std::string>& present,
                           std::string_view most, std::string_view folder);

/// First thing in main: lets the program of the chosen level, libexec/rlt/rlt-LEVEL beside the folder of bin/rlt, run in
/// place of this one. Returns where this is the chosen one, with missing_levels unless RLT_LEVEL names it. Error(usage)
/// like choose_level, Error(failed) when it cannot be started.
std::string hand_over(char** argv);

}  // namespace rlt
