#include "base/size.hpp"

#include "base/error.hpp"

namespace rlt {

void fail_too_large() {
  fail(Exit::usage,
       "these sizes multiply to more numbers than any machine holds: choose smaller ones");
}

}  // namespace rlt
