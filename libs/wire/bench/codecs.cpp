// What decoding and encoding cost, in nanoseconds a message; best of several rounds on one core.
//   ninja -C build/release wire_bench && build/release/bin/wire_bench [--json]
// Goals: a QoS 1 PUBLISH of 128 bytes below 200 ns, telemetry of 20 fields below 5,000 ns.
#include <chrono>
#include <cstdio>
#include <string_view>

#include "libs/wire/mqtt.hpp"
#include "libs/wire/senml.hpp"
#include "libs/wire/telemetry.hpp"

using namespace holdfast;
using namespace holdfast::wire;

namespace {

struct BenchRow {
  const char* work;
  double ours_ns;
  double goal_ns;  // 0: none
};

// `run` does the work `count` times and answers a number that depends on all of it.
template <class Run>
double best_ns(std::size_t count, Run run) {
  using Clock = std::chrono::steady_clock;
  double best = 1e18;
  static volatile std::size_t sink = 0;
  for (int round = 0; round < 7; ++round) {
    const auto start = Clock::now();
    sink = sink + run(count);
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    best = std::min(best, took.count() / static_cast<double>(count));
  }
  return best;
}

mqtt::Publish bench_publish(View payload) {
  return {"telemetry/machine", payload, 7, 1, false, false, {}};
}

// As the hub reads: a read of 64 packets, then all of them pulled.
std::size_t decode_publishes(mqtt::Version version, std::size_t count) {
  constexpr std::size_t kBurst = 64;
  const Bytes payload(128, 'x');
  Bytes burst;
  for (std::size_t i = 0; i < kBurst; ++i) {
    if (!mqtt::encode(bench_publish(payload), version, burst)) return 0;
  }
  auto decoder = mqtt::Decoder::for_client(version, 1 << 18);
  std::size_t bytes = 0;
  for (std::size_t done = 0; done < count; done += kBurst) {
    decoder.feed(burst);
    for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
      bytes += std::get<mqtt::Publish>(**packet).payload.size();
    }
  }
  return bytes;
}

std::size_t encode_publishes(std::size_t count) {
  const Bytes payload(128, 'x');
  const auto publish = bench_publish(payload);
  Bytes out;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!mqtt::encode(publish, mqtt::Version::v5, out)) return 0;
    bytes += out.size();
    out.clear();
  }
  return bytes;
}

std::string twenty_fields() {
  std::string text = R"({"time":1769868131.25)";
  for (int i = 0; i < 20; ++i) {
    text += ",\"metric_" + std::to_string(i) + "\":" + std::to_string(i * 7) + ".25";
  }
  return text + "}";
}

std::size_t decode_readings(View payload, std::size_t count) {
  std::size_t fields = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto readings = decode_telemetry(payload);
    if (readings) fields += readings->front().fields.size();
  }
  return fields;
}

Bytes senml_pack() {
  std::vector<SenmlRecord> records;
  for (int i = 0; i < 20; ++i) {
    records.push_back(
        {"metric_" + std::to_string(i), "", i * 7 + 0.25, {}, true, 1'769'868'131'250'000, {}});
  }
  return encode_senml(records, SenmlFormat::cbor).value_or(Bytes());
}

void print_rows(const std::vector<BenchRow>& rows, bool json) {
  for (const auto& row : rows) {
    std::fprintf(stdout, "%-44s %9.1f ns", row.work, row.ours_ns);
    if (row.goal_ns > 0) std::fprintf(stdout, "   goal %.0f", row.goal_ns);
    std::fprintf(stdout, "\n");
  }
  if (!json) return;
  JsonArray out;
  for (const auto& row : rows) {
    JsonObject object{
        {"work", row.work}, {"ours", row.ours_ns}, {"peer", nullptr}, {"ratio", nullptr}};
    object["goal"] = row.goal_ns > 0 ? Json(row.goal_ns) : Json(nullptr);
    object["met"] = row.goal_ns > 0 ? Json(row.ours_ns < row.goal_ns) : Json(nullptr);
    out.push_back(std::move(object));
  }
  std::fprintf(stdout, "%s\n", json_text(JsonObject{{"rows", out}}).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  const std::string fields = twenty_fields();
  const Bytes pack = senml_pack();
  const auto v3 =
      best_ns(256'000, [](std::size_t n) { return decode_publishes(mqtt::Version::v3_1_1, n); });
  const auto v5 =
      best_ns(256'000, [](std::size_t n) { return decode_publishes(mqtt::Version::v5, n); });
  const auto out = best_ns(256'000, encode_publishes);
  const auto read =
      best_ns(20'000, [&fields](std::size_t n) { return decode_readings(view_of(fields), n); });
  const auto cbor = best_ns(20'000, [&pack](std::size_t n) { return decode_readings(pack, n); });
  print_rows({{"decode PUBLISH QoS 1, 128 bytes, MQTT 3.1.1", v3, 200},
              {"decode PUBLISH QoS 1, 128 bytes, MQTT 5.0", v5, 200},
              {"encode PUBLISH QoS 1, 128 bytes, MQTT 5.0", out, 0},
              {"decode telemetry, 20 fields, JSON", read, 5'000},
              {"decode telemetry, 20 fields, SenML CBOR", cbor, 0}},
             json);
  return 0;
}
