// The series engine against its goals: ingest, bytes at rest, charts, newest values.
//   bench/series [--json] [--quick] [--metrics FILE]
// Real files and threads, encrypted, synced. FILE holds this machine's own metrics (see record.py).
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "libs/os/sim/random.hpp"
#include "server/store/journal/bench/rig.hpp"
#include "server/store/series/file_writer.hpp"
#include "server/store/series/store.hpp"

using namespace holdfast;
using namespace holdfast::series;
using namespace holdfast::bench;

namespace {

std::vector<BenchRow> rows;

double peak_mb() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

Ulid device_of(std::uint32_t number) {
  Ulid out{};
  out[0] = 1;
  for (unsigned i = 0; i < 4; ++i) out[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

struct Bench : Rig<Store> {
  Bench() : Rig("series") { start(); }
  std::uint64_t file_bytes() const {
    std::uint64_t sum = 0;
    const VersionPtr version = store->version();
    for (const auto& [day, files] : version->days) {
      for (const FilePtr& file : files) sum += file->bytes();
    }
    return sum;
  }
  // Our own files only: others use this machine too.
  void drop_caches() const {
    const VersionPtr version = store->version();
    for (const auto& [day, files] : version->days) {
      for (const FilePtr& file : files) {
        const auto open = must(system.files.open(file->path(), os::Open::read));
        ::posix_fadvise(open->descriptor(), 0, 0, POSIX_FADV_DONTNEED);
      }
    }
  }
};

// ---- ingest

void ingest(bool quick) {
  constexpr unsigned kDevices = 1000;
  constexpr unsigned kMetrics = 20;
  const unsigned ticks = quick ? 50 : 400;
  Bench bench;
  os::sim::Random random(1);
  std::vector<std::vector<double>> walk(kDevices, std::vector<double>(kMetrics, 50));
  // Encoded before, as the hub does it on other threads.
  const WallTime start = bench.system.clock.wall() - seconds(static_cast<std::int64_t>(ticks) * 10);
  std::atomic<std::uint64_t> durable{0};
  std::uint64_t points = 0;
  double wall = 0;
  double cpu = 0;
  for (unsigned chunk = 0; chunk < ticks; chunk += 10) {
    std::vector<Bytes> bodies;
    for (unsigned tick = chunk; tick < std::min(ticks, chunk + 10); ++tick) {
      for (unsigned d = 0; d < kDevices; ++d) {
        wire::Reading reading;
        reading.device_time = start + seconds(tick * 10);
        for (unsigned m = 0; m < kMetrics; ++m) {
          double& value = walk[d][m];
          value += (static_cast<double>(random.below(201)) - 100) / 100;
          reading.fields.push_back(
              {"metric" + std::to_string(m), std::round(value * 100) / 100, {}});
        }
        bodies.push_back(must(encode_readings("host", {reading}, bench.system.clock.wall())));
      }
    }
    const double wall_from = now_s();
    const double cpu_from = cpu_s();
    std::uint64_t sent = durable;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      journal::Record record;
      record.device = device_of(static_cast<std::uint32_t>(i % kDevices));
      record.body = bodies[i];
      while (!bench.journal->append(record, nullptr,
                                    [&](const Status& status) { durable += status ? 1 : 0; }))
        wait();
      ++sent;
    }
    while (durable < sent) wait();
    wall += now_s() - wall_from;
    cpu += cpu_s() - cpu_from;
    points += bodies.size() * kMetrics;
  }
  const double wall_from = now_s();
  const double cpu_from = cpu_s();
  must(bench.journal->roll());
  wall += now_s() - wall_from;
  cpu += cpu_s() - cpu_from;
  std::printf(
      "ingest: %.1f M points, %.2f s CPU, %.2f s wall (%.2f M points/s wall), %.2f B/point "
      "sealed\n",
      static_cast<double>(points) / 1e6, cpu, wall, static_cast<double>(points) / wall / 1e6,
      static_cast<double>(bench.file_bytes()) / static_cast<double>(points));
  rows.push_back({"ingest, durable and sealed, points/s of CPU", static_cast<double>(points) / cpu,
                  "points/s", 2e6, true});
}

// ---- at rest

// Lines of "time_us name value"; see record.py.
void at_rest(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    std::printf("at rest: no recording (%s): run bench/series --record first\n", path.c_str());
    return;
  }
  Bench bench;
  std::map<std::string, std::vector<wire::Reading>> streams;
  std::string line;
  std::uint64_t points = 0;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::int64_t us = 0;
    std::string stream;
    words >> us >> stream;
    wire::Reading reading;
    reading.device_time = WallTime{us};
    std::string word;
    while (words >> word) {
      const auto equals = word.find('=');
      const std::string text = word.substr(equals + 1);
      Value value = text.find_first_of(".e") == std::string::npos
                        ? Value(std::int64_t{std::strtoll(text.c_str(), nullptr, 10)})
                        : Value(std::strtod(text.c_str(), nullptr));
      reading.fields.push_back({word.substr(0, equals), value, {}});
      ++points;
    }
    streams[stream].push_back(std::move(reading));
  }
  for (const auto& [stream, readings] : streams) {
    for (std::size_t at = 0; at < readings.size(); at += 1000) {
      const std::vector<wire::Reading> part(
          readings.begin() + static_cast<std::ptrdiff_t>(at),
          readings.begin() + static_cast<std::ptrdiff_t>(std::min(readings.size(), at + 1000)));
      const Bytes body = must(encode_readings(stream, part, bench.system.clock.wall()));
      journal::Record record;
      record.device = device_of(1);
      record.ticks = static_cast<std::uint32_t>(part.size());
      record.body = body;
      must(bench.journal->append(record, nullptr, [](const Status&) {}));
    }
  }
  must(bench.journal->roll());
  must(bench.store->maintain());
  const double bytes = static_cast<double>(bench.file_bytes()) / static_cast<double>(points);
  std::printf(
      "at rest: %.2f M points of this machine at 1 Hz, %.3f B/point, encrypted, all columns\n",
      static_cast<double>(points) / 1e6, bytes);
  rows.push_back({"at rest, this machine at 1 Hz, encrypted", bytes, "B/point", 1.2, false});
}

// ---- charts

// 30 days of `devices` x 90 metrics at 10 s, written as sealed and merged files.
void write_month(Bench& bench, unsigned days, unsigned devices) {
  os::sim::Random random(2);
  const std::int64_t today = day_of(bench.system.clock.wall());
  for (unsigned day = 0; day < days; ++day) {
    const std::int64_t date = today - days + day;
    must(bench.system.files.make_folder(bench.folder + "/series/" + day_text(date)));
    const FileName name{date, 0, day + 1, day + 1};
    const auto writer = must(FileWriter::create(
        bench.system.files, bench.system.entropy,
        bench.folder + "/series/" + day_text(date) + "/" + file_name_text(name), name));
    // One day's columns, made once and shared: encoding is not what is measured here.
    Rows day_rows;
    for (unsigned row = 0; row < 8640; ++row) {
      const std::int64_t us = date * 86'400'000'000 + row * 10'000'000LL;
      day_rows.times.push(us, us + 40'000, TimeSource::device);
    }
    for (unsigned m = 0; m < 90; ++m) {
      Column column;
      double value = 50;
      for (unsigned row = 0; row < 8640; ++row) {
        if (m % 3 != 0 || random.chance(10))
          value += (static_cast<double>(random.below(201)) - 100) / 100;
        column.push(4, std::bit_cast<std::uint64_t>(std::round(value * 100) / 100));
      }
      char field[16];
      std::snprintf(field, sizeof field, "m%02u", m);
      day_rows.columns.push_back({field, std::move(column)});
    }
    for (unsigned d = 0; d < devices; ++d) {
      const auto key = must(bench.keys.current_all({subject_purpose(device_of(d))})).front();
      must(writer->begin_unit(device_of(d), device_of(d), key));
      must(writer->add_rows("host", day_rows));
      must(writer->end_unit());
    }
    must(writer->publish());
  }
}

double draw(Bench& bench, std::uint32_t device, unsigned metric, unsigned days) {
  const WallTime to{day_of(bench.system.clock.wall()) * 86'400'000'000};
  const WallTime from = to - holdfast::days(days);
  char name[16];
  std::snprintf(name, sizeof name, "host.m%02u", metric);
  const double begin = now_s();
  const auto answer = must(bench.store->buckets(
      {device_of(device), {name}, {from, to}, {(to - from).us / 600}, kNever}));
  const double took = now_s() - begin;
  if (answer.metrics[0].size() < 599)
    std::fprintf(stderr, "bench: a chart of %zu buckets\n", answer.metrics[0].size());
  return took * 1000;
}

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void charts(bool quick) {
  const unsigned days = 30;
  const unsigned devices = quick ? 5 : 50;
  Bench bench;
  bench.stop_all();
  write_month(bench, days, devices);
  // The files look like those of sealed segments 1 to 30: the journal goes on after them.
  static_cast<void>(os::remove_tree(bench.system.files, bench.folder + "/journal"));
  bench.start();
  os::sim::Random random(3);
  std::vector<double> cold;
  std::vector<double> warm;
  for (int i = 0; i < (quick ? 5 : 20); ++i) {
    bench.stop_all();
    bench.start();  // without caches of our own
    bench.drop_caches();
    const auto device = static_cast<std::uint32_t>(random.below(devices));
    const auto metric = static_cast<unsigned>(random.below(90));
    cold.push_back(draw(bench, device, metric, days));
    for (int k = 0; k < 3; ++k) warm.push_back(draw(bench, device, metric, days));
  }
  std::printf("charts: 30 days of 10 s as 600 buckets, %u devices x 90 metrics, %.1f MB of files\n",
              devices, static_cast<double>(bench.file_bytes()) / 1e6);
  rows.push_back({"30 days as 600 buckets, cold", middle(cold), "ms", 10, false});
  rows.push_back({"30 days as 600 buckets, warm", middle(warm), "ms", 3, false});
  const double begin = now_s();
  for (unsigned i = 0; i < 100; ++i) draw(bench, i % devices, i % 90, 1);
  rows.push_back({"100 charts of 24 h", (now_s() - begin) * 1000, "ms", 200, false});
}

// ---- newest values

void newest(bool quick) {
  const unsigned devices = quick ? 10'000 : 100'000;
  Bench bench;
  std::vector<Ulid> ids;
  std::vector<std::string> names;
  for (unsigned m = 0; m < 10; ++m) names.push_back("host.m" + std::to_string(m));
  wire::Reading reading;
  for (unsigned m = 0; m < 10; ++m)
    reading.fields.push_back({"m" + std::to_string(m), 1.5 * m, {}});
  const Bytes body = must(encode_readings("host", {reading}, bench.system.clock.wall()));
  for (unsigned d = 0; d < devices; ++d) {
    ids.push_back(device_of(d));
    journal::Record record;
    record.device = ids.back();
    record.body = body;
    must(bench.store->admit(record.device, body));
    while (!bench.journal->append(record, nullptr, {})) wait();
  }
  std::atomic<bool> done{false};
  must(bench.journal->barrier(nullptr, [&](const Status&) { done = true; }));
  while (!done) wait();
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const double begin = now_s();
    std::size_t found = 0;
    must(bench.store->last(ids, names, kNever,
                           [&](std::size_t, std::size_t, const Point&) { ++found; }));
    times.push_back((now_s() - begin) * 1000);
    if (found != ids.size() * 10) std::fprintf(stderr, "bench: newest values are missing\n");
  }
  std::printf("newest: %u devices x 10 metrics in memory, peak %.0f MB\n", devices, peak_mb());
  rows.push_back({"newest 10 values of " + std::to_string(devices) + " devices", middle(times),
                  "ms", 50.0 * devices / 100'000, false});
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  bool quick = false;
  std::string metrics;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    json = json || argument == "--json";
    quick = quick || argument == "--quick";
    if (argument == "--metrics" && i + 1 < argc) metrics = argv[i + 1];
    if (argument == "--only" && i + 1 < argc) only = argv[i + 1];
  }
  const auto wanted = [&](std::string_view name) { return only.empty() || only == name; };
  if (wanted("ingest")) ingest(quick);
  if (wanted("rest") && !metrics.empty()) at_rest(metrics);
  if (wanted("charts")) charts(quick);
  if (wanted("newest")) newest(quick);
  print_table(rows);
  std::printf("peak memory %.0f MB\n", peak_mb());
  if (json) print_json(rows);
  return 0;
}
