#include "libs/os/real/workers.hpp"

#include <cassert>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/os/real/loop.hpp"

namespace holdfast::os::real {
namespace {

// Which pool the calling thread belongs to: call() from inside would wait for itself.
thread_local const void* this_pool = nullptr;

class RealWorkers final : public Workers {
 public:
  RealWorkers(std::string_view name, unsigned threads, std::size_t queue_max)
      : queue_max_(queue_max) {
    assert(threads > 0);
    threads_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, title = std::string(name)] { work(title); });
    }
  }

  ~RealWorkers() override {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool post(Task task) override {
    {
      const std::scoped_lock lock(mutex_);
      if (ended_ || queue_.size() >= queue_max_) return false;
      queue_.push_back(std::move(task));
    }
    changed_.notify_one();
    return true;
  }

  // Not counted against queue_max: its callers wait, so that they are their own bound.
  void call(Task task) override {
    assert(this_pool != this);
    std::mutex done_mutex;
    std::condition_variable done_changed;
    bool done = false;
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_back([&] {
        task();
        // Under the lock to the end: the caller's frame goes as soon as it sees `done`.
        const std::scoped_lock done_lock(done_mutex);
        done = true;
        done_changed.notify_one();
      });
    }
    changed_.notify_one();
    std::unique_lock lock(done_mutex);
    done_changed.wait(lock, [&] { return done; });
  }

 private:
  void work(const std::string& title) {
    name_this_thread(title);
    this_pool = this;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
      task = nullptr;  // what it owns dies outside the lock
      lock.lock();
    }
  }

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Workers> RealThreads::start_workers(std::string_view name, unsigned threads,
                                                    std::size_t queue_max) {
  return std::make_unique<RealWorkers>(name, threads, queue_max);
}

std::unique_ptr<Loop> RealThreads::start_loop(std::string_view name) {
  return RealLoop::start(clock_, name);
}

}  // namespace holdfast::os::real
