// What the benchmarks of both engines stand on: clocks, a store with its journal on a folder of its
// own, and rows that are printed as a table or as JSON. Real files and threads, encrypted, synced.
// One thread.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "libs/os/system.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::bench {

inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline double cpu_s() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(use.ru_utime) + of(use.ru_stime);
}
// Spinning would count as the engine's CPU.
inline void wait() {
  ::usleep(200);
}

[[noreturn]] inline void stop(const Error& error) {
  std::fprintf(stderr, "bench: %s\n", error.text().c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) stop(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct BenchRow {
  std::string work;
  double ours = 0;
  std::string unit;
  double goal = 0;
  bool more_is_better = false;
  bool met() const { return more_is_better ? ours >= goal : ours <= goal; }
};

inline void print_table(const std::vector<BenchRow>& rows) {
  std::printf("\n%-58s %14s %-10s %12s  met\n", "work", "ours", "", "goal");
  for (const BenchRow& row : rows) {
    std::printf("%-58s %14.3f %-10s %12.3f  %s\n", row.work.c_str(), row.ours, row.unit.c_str(),
                row.goal, row.met() ? "yes" : "NO");
  }
}

// One object, as every benchmark ends with; there is no peer in these runs.
inline void print_json(const std::vector<BenchRow>& rows) {
  std::string out = "{\"rows\":[";
  for (const BenchRow& row : rows) {
    char text[512];
    std::snprintf(text, sizeof text,
                  R"(%s{"work":"%s","ours":%.6g,"peer":null,"ratio":null,"goal":%.6g,"met":%s})",
                  &row == rows.data() ? "" : ",", json_escape(row.work).c_str(), row.ours, row.goal,
                  row.met() ? "true" : "false");
    out += text;
  }
  std::printf("%s]}\n", out.c_str());
}

// A store on a folder of its own, removed at the end. `name`: of the engine's folder in it.
template <class Store>
struct Rig {
  std::unique_ptr<os::RealSystem> real = must(os::RealSystem::make());
  os::System system = real->system();
  journal::MemoryKeys keys{system.entropy};
  Metrics metrics;
  std::string folder;
  std::string name;
  std::unique_ptr<Store> store;
  std::unique_ptr<journal::Journal> journal;

  explicit Rig(std::string engine) : name(std::move(engine)) {
    const char* base = std::getenv("BENCH_DIR");
    std::string made = std::string(base == nullptr ? "/tmp" : base) + "/holdfast-bench-XXXXXX";
    folder = ::mkdtemp(made.data());
    must(system.files.make_folder(folder + "/" + name));
  }
  ~Rig() {
    stop_all();
    static_cast<void>(os::remove_tree(system.files, folder));
  }
  void start() {
    Log log(
        [](std::string_view line) {
          std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
        },
        Level::warning);
    journal =
        must(journal::Journal::open(system, keys, log, metrics, {.folder = folder + "/journal"}));
    store =
        must(Store::open(system, keys, *journal, log, metrics, {.folder = folder + "/" + name}));
    journal->attach(*store);
    must(journal->start());
  }
  void stop_all() {
    journal.reset();
    store.reset();
  }
};

}  // namespace holdfast::bench
