// "did you mean": the known name nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rlt {

/// The entry of `known` with the smallest edit distance to `word`, or "" when none is near
/// (distance above a third of the longer word).
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// `"; did you mean 'x'?"`, or the whole list when nothing is near: the tail of an error message.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace rlt
