// What every Loop and every pool of Workers does, on this machine and in a simulation.
#include "libs/os/loop.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/os/contract_test.hpp"

namespace holdfast::os {
namespace {

using ::testing::ElementsAre;

class LoopTest : public ContractTest {
 protected:
  std::vector<int> seen_;
};

TEST_P(LoopTest, RunsTasksInOrderOfPosting) {
  for (int i = 0; i < 5; ++i) {
    loop().post([this, i] { seen_.push_back(i); });
  }
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(until([&] { return seen_.size() == 5; }));
  EXPECT_THAT(seen_, ElementsAre(0, 1, 2, 3, 4));
}

TEST_P(LoopTest, RunsWhatATaskPostsAfterThatTask) {
  loop().post([this] {
    loop().post([this] { seen_.push_back(2); });
    seen_.push_back(1);
  });
  EXPECT_TRUE(until([&] { return seen_.size() == 2; }));
  EXPECT_THAT(seen_, ElementsAre(1, 2));
}

TEST_P(LoopTest, RunsTimersByTimeAndThenInOrderOfAsking) {
  const MonoTime start = now();
  loop().at(start + milliseconds(9), [this] { seen_.push_back(4); });
  loop().at(start + milliseconds(3), [this] { seen_.push_back(2); });
  loop().at(start + milliseconds(3), [this] { seen_.push_back(3); });
  loop().at(start - seconds(1), [this] { seen_.push_back(1); });
  EXPECT_TRUE(until([&] { return seen_.size() == 4; }));
  EXPECT_THAT(seen_, ElementsAre(1, 2, 3, 4));
  EXPECT_GE(now(), start + milliseconds(9));
}

TEST_P(LoopTest, NeverRunsATimerEarly) {
  const MonoTime due = now() + milliseconds(7);
  MonoTime ran{};
  loop().at(due, [&] { ran = now(); });
  EXPECT_TRUE(until([&] { return ran != MonoTime{}; }));
  EXPECT_GE(ran, due);
}

TEST_P(LoopTest, CancelledTimersDoNotRun) {
  const TimerId first = loop().after(milliseconds(1), [this] { seen_.push_back(1); });
  TimerId third = TimerId::none;
  loop().after(milliseconds(2), [&] {
    seen_.push_back(2);
    loop().cancel(third);
  });
  third = loop().after(milliseconds(2), [this] { seen_.push_back(3); });
  bool done = false;
  loop().after(milliseconds(4), [&] { done = true; });
  EXPECT_NE(first, TimerId::none);
  loop().cancel(first);
  loop().cancel(first);
  loop().cancel(TimerId::none);
  EXPECT_TRUE(until([&] { return done; }));
  EXPECT_THAT(seen_, ElementsAre(2));
}

TEST_P(LoopTest, ATimerAtTheEndOfTimeDisturbsNoOther) {
  loop().at(kNever, [this] { seen_.push_back(1); });
  loop().after(hours(24 * 365), [this] { seen_.push_back(2); });
  bool done = false;
  loop().after(milliseconds(2), [&] { done = true; });
  EXPECT_TRUE(until([&] { return done; }));
  EXPECT_TRUE(seen_.empty());
}

TEST_P(LoopTest, ATimerThatSetsItselfAgainStarvesNobody) {
  int rounds = 0;
  bool posted = false;
  std::function<void()> again = [&] {
    if (++rounds == 50) loop().post([&] { posted = true; });
    if (rounds < 100'000) loop().at(now() + microseconds(1), [&] { again(); });
  };
  again();
  EXPECT_TRUE(until([&] { return posted; }));
  EXPECT_LT(rounds, 100'000);
}

// An object that cancels a timer when it dies, as sessions do.
struct Canceller {
  Loop& loop;
  TimerId timer;
  ~Canceller() { loop.cancel(timer); }
};

TEST_P(LoopTest, ATaskThatDiesMayCancelAnotherTimer) {
  const TimerId victim = loop().after(milliseconds(3), [this] { seen_.push_back(1); });
  auto canceller = std::make_unique<Canceller>(loop(), victim);
  const TimerId holder = loop().after(milliseconds(1), [c = std::move(canceller)] {});
  loop().cancel(holder);
  bool done = false;
  loop().after(milliseconds(5), [&] { done = true; });
  EXPECT_TRUE(until([&] { return done; }));
  EXPECT_TRUE(seen_.empty());
}

TEST_P(LoopTest, RunReturnsAfterStopAndCanRunAgain) {
  loop().post([this] {
    seen_.push_back(1);
    loop().stop();
  });
  loop().run();
  EXPECT_THAT(seen_, ElementsAre(1));
  loop().post([this] {
    seen_.push_back(2);
    loop().stop();
  });
  loop().run();
  EXPECT_THAT(seen_, ElementsAre(1, 2));
}

TEST_P(LoopTest, StopBeforeRunIsNotLost) {
  loop().stop();
  loop().run();
  loop().post([this] { seen_.push_back(1); });
  EXPECT_TRUE(until([&] { return seen_.size() == 1; }));
}

TEST_P(LoopTest, StartedLoopsRunBesideTheMainOne) {
  const auto other = system().threads.start_loop("other");
  std::atomic<int> count{0};
  for (int i = 0; i < 3; ++i) {
    other->post([&, i] {
      EXPECT_EQ(count.load(), i);
      ++count;
    });
  }
  other->post([&] { other->after(milliseconds(1), [&] { ++count; }); });
  EXPECT_TRUE(until([&] { return count == 4; }));
}

TEST_P(LoopTest, LoopsPostToEachOther) {
  const auto other = system().threads.start_loop("other");
  bool back = false;
  other->post([&] { loop().post([&] { back = true; }); });
  EXPECT_TRUE(until([&] { return back; }));
}

TEST_P(LoopTest, TasksOfALoopThatEndsAreDestroyedUnrun) {
  auto other = system().threads.start_loop("other");
  const auto witness = std::make_shared<int>(0);
  bool set = false;
  other->post([&, witness] {
    other->after(hours(1), [witness] { ++*witness; });
    loop().post([&] { set = true; });
  });
  EXPECT_TRUE(until([&] { return set; }));
  other.reset();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(*witness, 0);
}

TEST_P(LoopTest, ClocksMoveForward) {
  const WallTime wall = loop().clock().wall();
  const MonoTime mono = now();
  EXPECT_GT(wall, WallTime{1'700'000'000'000'000});
  bool done = false;
  loop().after(milliseconds(5), [&] { done = true; });
  EXPECT_TRUE(until([&] { return done; }));
  EXPECT_GE(now() - mono, milliseconds(5));
  EXPECT_GE(loop().clock().wall() - wall, milliseconds(4));
}

HOLDFAST_BOTH_WORLDS(LoopTest);

// ---- workers

class WorkersTest : public ContractTest {};

TEST_P(WorkersTest, OneThreadKeepsTheOrder) {
  const auto workers = system().threads.start_workers("one", 1, 100);
  Guarded<std::vector<int>> seen;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(workers->post([&seen, i] { seen.with([&](auto& all) { all.push_back(i); }); }));
  }
  EXPECT_TRUE(until([&] { return seen.with([](auto& all) { return all.size() == 50; }); }));
  seen.with([](const auto& all) { EXPECT_TRUE(std::ranges::is_sorted(all)); });
}

TEST_P(WorkersTest, SeveralThreadsDoEverythingOnce) {
  const auto workers = system().threads.start_workers("many", 3, 1000);
  std::atomic<int> sum{0};
  for (int i = 1; i <= 100; ++i) EXPECT_TRUE(workers->post([&sum, i] { sum += i; }));
  EXPECT_TRUE(until([&] { return sum == 5050; }));
}

TEST_P(WorkersTest, AFullQueueRefuses) {
  const auto workers = system().threads.start_workers("small", 1, 3);
  std::atomic<bool> release{false};
  std::atomic<int> ran{0};
  const bool real = GetParam() == Kind::real;
  if (real) {
    // Keeps the only thread busy, so that the rest stays queued.
    std::atomic<bool> started{false};
    EXPECT_TRUE(workers->post([&] {
      started = true;
      while (!release) std::this_thread::yield();
    }));
    EXPECT_TRUE(until([&] { return started.load(); }));
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(workers->post([&] { ++ran; }));
  EXPECT_FALSE(workers->post([&] { ran += 100; }));
  release = true;
  EXPECT_TRUE(until([&] { return ran == 3; }));
  EXPECT_TRUE(workers->post([&] { ++ran; }));
  EXPECT_TRUE(until([&] { return ran == 4; }));
}

TEST_P(WorkersTest, CallReturnsWhenTheTaskIsDone) {
  const auto workers = system().threads.start_workers("call", 2, 1);
  int value = 0;
  for (int i = 0; i < 20; ++i) workers->call([&] { ++value; });
  EXPECT_EQ(value, 20);
}

TEST_P(WorkersTest, TheEndFinishesWhatWasPosted) {
  auto workers = system().threads.start_workers("end", 1, 100);
  std::atomic<int> ran{0};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(workers->post([&] { ++ran; }));
  workers.reset();
  EXPECT_EQ(ran, 20);
}

TEST_P(WorkersTest, NothingIsTakenWhileItEnds) {
  auto workers = system().threads.start_workers("end", 1, 1'000'000'000);
  Workers* const pool = workers.get();
  std::atomic<bool> ending{false};
  std::atomic<bool> taken{true};
  const bool real = GetParam() == Kind::real;
  EXPECT_TRUE(pool->post([&] {
    while (real && !ending) std::this_thread::yield();
    // The end may not have begun yet: ask until it has.
    while (real && pool->post([] {})) std::this_thread::yield();
    taken = pool->post([] {});
  }));
  ending = true;
  workers.reset();
  EXPECT_FALSE(taken);
}

TEST_P(WorkersTest, ResultsComeBackToTheLoop) {
  const auto workers = system().threads.start_workers("back", 1, 10);
  int result = 0;
  EXPECT_TRUE(workers->post([&] { loop().post([&] { result = 42; }); }));
  EXPECT_TRUE(until([&] { return result == 42; }));
}

HOLDFAST_BOTH_WORLDS(WorkersTest);

// ---- entropy

class EntropyTest : public ContractTest {};

TEST_P(EntropyTest, GivesDifferentBytesEachTime) {
  Entropy& entropy = system().entropy;
  EXPECT_NE(entropy.bytes(16), entropy.bytes(16));
  EXPECT_EQ(entropy.bytes(1000).size(), 1000U);
  EXPECT_TRUE(entropy.bytes(0).empty());
  std::array<int, 8> counts{};
  for (int i = 0; i < 4000; ++i) ++counts[entropy.below(8)];
  for (const int count : counts) EXPECT_GT(count, 300);
}

TEST_P(EntropyTest, MakesIdsThatSortByTime) {
  const auto early = system().entropy.make<DeviceId>(WallTime{1'000'000});
  const auto late = system().entropy.make<DeviceId>(WallTime{2'000'000});
  EXPECT_LT(early.text(), late.text());
}

HOLDFAST_BOTH_WORLDS(EntropyTest);

}  // namespace
}  // namespace holdfast::os
