#include "libs/os/real/loop.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cassert>
#include <chrono>
#include <csignal>

#include "libs/os/real/errno.hpp"

namespace holdfast::os::real {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Far timers are waited for in pieces, so that kNever is an ordinary point in time.
constexpr Duration kArmAheadMax = hours(1);

}  // namespace

WallTime RealClock::wall() const {
  using namespace std::chrono;
  return {duration_cast<std::chrono::microseconds>(system_clock::now().time_since_epoch()).count()};
}

MonoTime RealClock::mono() const {
  using namespace std::chrono;
  return {duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count()};
}

// ---- LoopCore

struct LoopCore::Asio {
  asio::io_context context{1};
  // Without work the context would stop by itself, and look as if stop() had been called.
  asio::executor_work_guard<asio::io_context::executor_type> busy{context.get_executor()};
  asio::steady_timer timer{context};
  asio::signal_set signals{context};
};

LoopCore::LoopCore() : asio_(std::make_unique<Asio>()) {}
LoopCore::~LoopCore() {
  shut();
}

bool LoopCore::here() const {
  const auto owner = owner_.load();
  return owner == std::thread::id{} || owner == std::this_thread::get_id();
}

void LoopCore::post(Task task) {
  const bool wake = posted_.with([&](Posted& posted) {
    if (posted.shut) return false;
    posted.tasks.push_back(std::move(task));
    return !std::exchange(posted.woken, true);
  });
  if (wake) asio::post(asio_->context, [this] { run_posted(); });
}

// Runs what was there at the start; what these tasks post waits for sockets and timers to have had
// their turn.
void LoopCore::run_posted() {
  auto left = posted_.with([](const Posted& posted) { return posted.tasks.size(); });
  for (; left > 0 && !asio_->context.stopped(); --left) {
    Task task = posted_.with([](Posted& posted) {
      Task first = std::move(posted.tasks.front());
      posted.tasks.pop_front();
      return first;
    });
    task();
  }
  const bool more = posted_.with([](Posted& posted) {
    posted.woken = !posted.tasks.empty();
    return posted.woken;
  });
  if (more) asio::post(asio_->context, [this] { run_posted(); });
}

TimerId LoopCore::at(MonoTime when, Task task) {
  assert(here());
  if (shut_) return TimerId::none;
  const std::uint64_t id = next_timer_++;
  timers_.emplace(TimerKey{when.us, id}, std::move(task));
  timer_times_.emplace(id, when.us);
  if (when < armed_) arm();
  return TimerId{id};
}

void LoopCore::cancel(TimerId timer) {
  assert(here());
  const auto id = static_cast<std::uint64_t>(timer);
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  const auto row = timers_.extract(TimerKey{found->second, id});
  timer_times_.erase(found);
  // The task dies here, after the maps are whole again: it may own what cancels other timers.
}

void LoopCore::arm() {
  if (timers_.empty()) {
    armed_ = kNever;
    return;
  }
  const MonoTime ahead = clock_.mono() + kArmAheadMax;
  armed_ = std::min(MonoTime{timers_.begin()->first.first}, ahead);
  asio_->timer.expires_at(
      std::chrono::steady_clock::time_point(std::chrono::microseconds(armed_.us)));
  asio_->timer.async_wait([this](const error_code& error) {
    if (!error) run_timers();
  });
}

void LoopCore::run_timers() {
  const std::int64_t now = clock_.mono().us;
  const std::uint64_t first_new =
      next_timer_;               // a timer that re-arms itself must not starve the rest
  armed_ = MonoTime{INT64_MIN};  // at() need not arm: it is done once, below
  auto next = timers_.begin();
  while (next != timers_.end() && next->first.first <= now && !asio_->context.stopped()) {
    if (next->first.second >= first_new) {
      ++next;
      continue;
    }
    auto row = timers_.extract(next);
    timer_times_.erase(row.key().second);
    row.mapped()();
    next = timers_.begin();
  }
  arm();
}

void LoopCore::run() {
  owner_ = std::this_thread::get_id();
  // stop() may come at any moment, also before run(): the flag is what counts.
  while (!stop_.exchange(false)) asio_->context.run();
  asio_->context.restart();
  owner_ = std::thread::id{};
}

void LoopCore::stop() {
  stop_ = true;
  asio_->context.stop();
}

void LoopCore::shut() {
  if (std::exchange(shut_, true)) return;
  asio_->signals.cancel();
  asio_->timer.cancel();
  // Tasks may own what posts, waits and cancels when it dies, so nothing is destroyed in place.
  auto posted = posted_.with([](Posted& all) {
    all.shut = true;
    return std::exchange(all.tasks, {});
  });
  posted.clear();
  timer_times_.clear();
  auto timers = std::exchange(timers_, {});
  timers.clear();
  while (!watches_.empty()) {
    const auto watch = (*watches_.begin())->shared_from_this();
    watch->close();
  }
  on_signal_ = nullptr;
  // Waits that Asio aborted hold their Watch, and that holds this: let them go.
  asio_->context.restart();
  asio_->context.poll();
}

void LoopCore::on_stop_signal(Task stop) {
  assert(here());
  if (!std::exchange(signals_wanted_, true)) {
    asio_->signals.add(SIGINT);
    asio_->signals.add(SIGTERM);
    wait_signal();
  }
  on_signal_ = std::move(stop);
}

void LoopCore::wait_signal() {
  asio_->signals.async_wait([this](const error_code& error, int) {
    if (error) return;
    wait_signal();
    Task stop = std::move(on_signal_);  // it may set another one
    stop();
    if (!on_signal_) on_signal_ = std::move(stop);
  });
}

// ---- Watch

struct Watch::Descriptor {
  explicit Descriptor(asio::io_context& context) : value(context) {}
  asio::posix::stream_descriptor value;
};

Watch::Watch(std::shared_ptr<LoopCore> core, int fd) : core_(std::move(core)), fd_(fd) {}

std::shared_ptr<Watch> Watch::make(std::shared_ptr<LoopCore> core, int fd) {
  return std::shared_ptr<Watch>(new Watch(std::move(core), fd));
}

Watch::~Watch() {
  close();
}

void Watch::wait(Kind kind, Task ready) {
  assert(core_->here());
  std::swap(tasks_[kind], ready);  // the old task dies at the end, when this is whole
  if (!tasks_[kind] || armed_[kind] || fd_ < 0 || core_->shut_) return;
  if (!descriptor_) {
    // Registered at the first wait: a stream may be made on another thread than the loop's.
    descriptor_ = std::make_unique<Descriptor>(core_->asio_->context);
    error_code error;
    descriptor_->value.assign(fd_, error);
    core_->watches_.insert(this);
    if (error) {  // epoll refuses it: the owner finds out when it reads or writes
      core_->post([self = shared_from_this(), kind] { self->fired(kind); });
      return;
    }
  }
  armed_[kind] = true;
  const auto type = kind == kReadable ? asio::posix::descriptor_base::wait_read
                                      : asio::posix::descriptor_base::wait_write;
  descriptor_->value.async_wait(
      type, [self = shared_from_this(), kind](const error_code&) { self->fired(kind); });
}

void Watch::fired(Kind kind) {
  armed_[kind] = false;
  if (fd_ < 0) return;
  if (Task task = std::exchange(tasks_[kind], {})) task();
}

int Watch::release() {
  const int fd = std::exchange(fd_, -1);
  const auto dropped = std::exchange(tasks_, {});
  if (fd >= 0 && descriptor_) {
    core_->watches_.erase(this);
    if (descriptor_->value.is_open()) descriptor_->value.release();  // cancels the waits
  }
  return fd;
}

void Watch::close() {
  const Fd closed{release()};
}

// ---- RealLoop

RealLoop::RealLoop(const Clock& clock) : clock_(clock), core_(std::make_shared<LoopCore>()) {}

std::unique_ptr<RealLoop> RealLoop::make_main(const Clock& clock) {
  return std::unique_ptr<RealLoop>(new RealLoop(clock));
}

std::unique_ptr<RealLoop> RealLoop::start(const Clock& clock, std::string_view name) {
  std::unique_ptr<RealLoop> loop(new RealLoop(clock));
  loop->thread_ = std::thread([core = loop->core_, title = std::string(name)] {
    name_this_thread(title);
    core->run();
  });
  return loop;
}

RealLoop::~RealLoop() {
  if (thread_.joinable()) {
    assert(thread_.get_id() != std::this_thread::get_id());
    core_->stop();
    thread_.join();
  }
  core_->shut();
}

void RealLoop::run() {
  assert(!thread_.joinable());  // a started loop runs already
  core_->run();
}

void name_this_thread(std::string_view name) {
  pthread_setname_np(pthread_self(), std::string(name.substr(0, 15)).c_str());
}

}  // namespace holdfast::os::real
