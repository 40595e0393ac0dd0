// While it lives, one thread works: tiny models lose more by waking others than they gain.
#pragma once

#include "base/parallel.hpp"

namespace rlt::test {

class OneThread {
 public:
  OneThread() { set_thread_count(1); }
  ~OneThread() { set_thread_count(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = thread_count();
};

}  // namespace rlt::test
