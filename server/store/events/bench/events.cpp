// The events engine against its goals: ingest, bytes at rest, searches and counts over a large set.
//   bench/events [--json] [--quick] [--events MILLIONS] [--only ingest|search]
// Real files and threads, encrypted, synced.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "server/store/events/bench/logs.hpp"
#include "server/store/events/store.hpp"
#include "server/store/journal/bench/rig.hpp"

using namespace holdfast;
using namespace holdfast::events;
using namespace holdfast::bench;

namespace {

std::vector<BenchRow> rows;
void add(std::string work, double ours, std::string unit, double goal,
         bool more_is_better = false) {
  std::fprintf(stderr, "%-58s %12.2f %s\n", work.c_str(), ours, unit.c_str());
  rows.push_back({std::move(work), ours, std::move(unit), goal, more_is_better});
}

// Of the calling thread: searches run on it, so that neighbours do not count.
double thread_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}
std::atomic<double> peak_anonymous_mb{0};
void look_at_memory() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("RssAnon:"))
      peak_anonymous_mb =
          std::max(peak_anonymous_mb.load(), std::strtod(line.c_str() + 8, nullptr) / 1024);
  }
}

void use_cores(unsigned count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned core = 0; core < count; ++core) CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);
}

struct Bench : Rig<Store> {
  Bench() : Rig("events") {}
  std::uint64_t file_bytes() const {
    std::uint64_t sum = 0;
    for (const FilePtr& file : store->files()) sum += file->bytes();
    return sum;
  }
};

// Where the bytes are.
void weigh(const Store& store) {
  double meta = 0, messages = 0, fields = 0, pages = 0, events = 0, all = 0;
  for (const FilePtr& file : store.files()) {
    all += static_cast<double>(file->bytes());
    for (const Group& group : file->groups()) {
      for (const BlockHead& head : group.blocks) {
        meta += head.meta_length;
        messages += head.messages_length;
        fields += head.fields_length;
        events += head.count;
      }
      for (const std::uint32_t length : group.page_lengths) pages += length;
    }
  }
  std::fprintf(stderr,
               "  bytes an event: meta %.2f messages %.2f fields %.2f filter %.2f directory %.2f\n",
               meta / events, messages / events, fields / events, pages / events,
               (all - meta - messages - fields - pages) / events);
}

// ---- ingest: encoded before, as the hub does it on other threads; then durable, sealed, merged.

void ingest(unsigned cores, std::uint64_t events) {
  use_cores(cores);
  Bench bench;
  bench.start();
  Logs logs(1);
  std::atomic<std::uint64_t> durable{0};
  std::uint64_t raw = 0, sent = 0;
  double wall = 0, cpu = 0;
  while (sent < events) {
    std::vector<std::pair<Ulid, Bytes>> bodies;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(100'000, events - sent); ++i) {
      const LogLine line = logs.next();
      raw += raw_bytes(line.event);
      bodies.emplace_back(line.device, must(encode_event(line.event, bench.system.clock.wall())));
    }
    const double wall_before = now_s(), cpu_before = cpu_s();
    for (const auto& [device, body] : bodies) {
      journal::Record record;
      record.kind = journal::Kind::event;
      record.device = device;
      record.body = body;
      while (!bench.journal->append(
          record, nullptr, [&durable](const Status& status) { durable += status ? 1 : 0; }))
        wait();
    }
    sent += bodies.size();
    if (sent >= events) {
      while (durable < sent) wait();
      must(bench.journal->roll());
      must(bench.store->maintain());
    }
    wall += now_s() - wall_before;
    cpu += cpu_s() - cpu_before;
    look_at_memory();
  }
  const auto count = static_cast<double>(events);
  const std::string on = cores == 1 ? "one core" : "two cores";
  add("ingest, durable, sealed and merged, " + on + ": wall", count / wall, "events/s",
      cores == 1 ? 150'000 : 250'000, true);
  add("  events for each second of CPU", count / cpu, "events/s", 150'000, true);
  if (cores == 1) {
    add("at rest, encrypted, of raw",
        static_cast<double>(bench.file_bytes()) / static_cast<double>(raw), "x", 0.20);
    weigh(*bench.store);
    std::fprintf(stderr, "  raw %.1f bytes an event\n", static_cast<double>(raw) / count);
  }
  use_cores(64);
}

// ---- search

constexpr std::uint64_t kFileEvents = 1'966'080;  // as merging leaves them

// Straight into files: the journal's part is measured above. Ten days of arrivals.
void build(Bench& bench, std::uint64_t events) {
  Logs logs(2);
  const std::int64_t now = bench.system.clock.wall().us;
  const double step = 10.0 * 86'400e6 / static_cast<double>(events);
  journal::SegmentId segment = 0;
  for (std::uint64_t at = 0; at < events;) {
    const FileName name{segment + 1, segment + 1};
    ++segment;
    const std::uint64_t count = std::min(kFileEvents, events - at);
    const Key key = must(bench.keys.create(key_purpose(name)));
    const auto writer = must(FileWriter::create(
        bench.system.files, bench.folder + "/events/" + file_name_text(name), name, key, count));
    for (std::uint64_t i = 0; i < count;) {
      auto chunk = std::make_shared<std::deque<Bytes>>();
      writer->hold(chunk);
      for (unsigned k = 0; k < 1000 && i < count; ++k, ++i, ++at) {
        LogLine line = logs.next();
        const WallTime received{now -
                                static_cast<std::int64_t>(step * static_cast<double>(events - at))};
        if (at % 3 == 0)
          line.event.device_time = received - milliseconds(static_cast<std::int64_t>(at % 900));
        chunk->push_back(must(encode_event(line.event, received)));
        journal::Stored record;
        record.at = {name.first, static_cast<std::uint32_t>(i)};
        record.kind = journal::Kind::event;
        record.device = line.device;
        record.time = received;
        record.body = chunk->back();
        must(writer->add(must(row_of(record))));
      }
    }
    must(writer->publish());
    if (segment % 5 == 0)
      std::fprintf(stderr, "  %llu million events\n",
                   static_cast<unsigned long long>(at / 1'000'000));
    look_at_memory();
  }
}

// Median of seven, warm: milliseconds of CPU, and of the wall clock beside it.
struct Times {
  double cpu = 0, wall = 0;
};
template <class F>
Times median_ms(F&& once) {
  once();  // warm
  std::vector<double> cpu, wall;
  for (int i = 0; i < 7; ++i) {
    const double before = now_s(), cpu_before = thread_cpu_s();
    once();
    cpu.push_back((thread_cpu_s() - cpu_before) * 1e3);
    wall.push_back((now_s() - before) * 1e3);
  }
  std::ranges::sort(cpu);
  std::ranges::sort(wall);
  look_at_memory();
  return {cpu[3], wall[3]};
}
void add_times(const std::string& work, const Times& times, double goal) {
  char wall[64];
  std::snprintf(wall, sizeof wall, ", %.1f ms on the wall", times.wall);
  add(work + wall, times.cpu, "ms CPU", goal);
}

void find(Bench& bench, const std::string& work, const std::string& text, std::size_t limit,
          double goal) {
  Query query;
  query.filter = must(query::parse(text));
  query.limit = limit;
  std::size_t found = 0;
  const Times ms = median_ms([&] { found = must(bench.store->query(query)).items.size(); });
  add_times(work + " `" + text + "` (" + std::to_string(found) + ")", ms, goal);
}

void count(Bench& bench, const std::string& work, TallyQuery query, double goal) {
  std::uint64_t total = 0, scanned = 0;
  const Times ms = median_ms([&] {
    const Tally tally = must(bench.store->tally(query));
    total = tally.total;
    scanned = tally.scanned;
  });
  add_times(work + " (" + std::to_string(total) + ", " + std::to_string(scanned) + " one by one)",
            ms, goal);
}

void search(std::uint64_t events) {
  Bench bench;
  build(bench, events);
  const double before = now_s();
  bench.start();
  const std::string of = std::to_string(events / 1'000'000) + " M: ";
  add(of + "start", (now_s() - before) * 1e3, "ms", 2'000);
  for (const char* text : {"failed", "needlecommon", "needlemany", "needlefifty", "404"})
    find(bench, of + "newest 100 of", text, 100, 50);
  for (const char* text : {"10.3.0.0/16", "185.7.3.0/24", "src:192.168.1.0/24"})
    find(bench, of + "newest 100 of", text, 100, 50);
  find(bench, of + "newest 100 of", "failed root ssh2", 100, 50);
  find(bench, of + "newest 100 of", "severity>=warning user:root", 100, 50);
  find(bench, of + "rare, all hits", "needlefifty", 10'000, 200);
  find(bench, of + "absent", "nosuchwordanywhere", 100, 50);
  TallyQuery week;
  week.of.from = bench.system.clock.wall() - days(7);
  week.step = hours(1);
  week.by = "severity";
  count(bench, of + "histogram of 7 days by severity", week, 10);
  week.of.device = Logs::device(4321);
  count(bench, of + "the same of one device", week, 200);
  Query device;
  device.device = Logs::device(4321);
  add_times(of + "newest 100 of one device", median_ms([&] { must(bench.store->query(device)); }),
            50);
  add("anonymous memory, most at any time", peak_anonymous_mb, "MB", 512);
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
  bool json = false, quick = false;
  std::uint64_t millions = 0;
  std::string only;
  for (int i = 1; i < count_of_arguments; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--json") json = true;
    if (argument == "--quick") quick = true;
    if (argument == "--events" && i + 1 < count_of_arguments)
      millions = std::strtoull(arguments[++i], nullptr, 10);
    if (argument == "--only" && i + 1 < count_of_arguments) only = arguments[++i];
  }
  if (millions == 0) millions = quick ? 4 : 100;
  if (only.empty() || only == "ingest") {
    ingest(1, quick ? 1'000'000 : 4'000'000);
    ingest(2, quick ? 1'000'000 : 4'000'000);
  }
  if (only.empty() || only == "search") search(millions * 1'000'000);
  print_table(rows);
  if (json) print_json(rows);
  return 0;
}
