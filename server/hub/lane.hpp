// Lane: the way to a loop for other threads, which may still hold it when the loop is gone: then
// what they post is dropped. Thread-safe.
#pragma once

#include <memory>

#include "libs/base/guarded.hpp"
#include "libs/os/loop.hpp"

namespace holdfast::hub {

class Lane {
 public:
  explicit Lane(os::Loop& loop) : loop_(&loop) {}

  void post(os::Task task) {
    loop_.with([&](os::Loop* loop) {
      if (loop != nullptr) loop->post(std::move(task));
    });
  }
  // Before the loop is destroyed; no post reaches it after this.
  void close() {
    loop_.with([](os::Loop*& loop) { loop = nullptr; });
  }

 private:
  Guarded<os::Loop*> loop_;
};
using LanePtr = std::shared_ptr<Lane>;

}  // namespace holdfast::hub
