// What the journal's tests share: a consumer that remembers what it saw and seals into plain files,
// and a journal on a simulated machine that can lose power and start again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::journal {

// Seals segment n into `/data/out/<n>`, one body a line; serves what is sealed and what is not.
class FileConsumer final : public Consumer {
 public:
  explicit FileConsumer(os::Files& files) : files_(files) {}

  Result<SegmentId> newest_output() const override {
    return outputs().empty() ? 0 : *outputs().rbegin();
  }
  Status begin(SegmentId first_unsealed) override {
    TRY(files_.make_folder("/data/out"));
    TRY(files_.sync_dir("/data"));
    for (const SegmentId number : outputs()) {
      if (number >= first_unsealed) TRY(files_.remove(path(number)));
    }
    return {};
  }
  void committed(const Batch& batch) override {
    EXPECT_TRUE(batch.for_each([&](const Stored& record) {
      EXPECT_TRUE(last_ < record.at) << "records come in order";
      last_ = record.at;
      times_.push_back(record.time);
      unsealed_[record.at.segment].push_back(string_of(record.body));
      return true;
    }));
  }
  Status seal(SegmentId segment) override {
    if (fail_seals > 0) {
      --fail_seals;
      return fail(Code::io_error, "the test wants it so");
    }
    std::string all;
    for (const std::string& body : unsealed_[segment]) all += body + "\n";
    return os::replace_file(files_, path(segment), view_of(all));
  }
  void sealed(SegmentId segment) override { unsealed_.erase(segment); }

  // Everything served, with how often.
  std::map<std::string, int> served() const {
    std::map<std::string, int> all;
    for (const auto& [segment, bodies] : unsealed_) {
      for (const std::string& body : bodies) ++all[body];
    }
    for (const SegmentId number : outputs()) {
      if (unsealed_.contains(number)) continue;
      const auto bytes = os::read_file(files_, path(number), 1 << 20);
      EXPECT_TRUE(bytes);
      std::string line;
      for (const char c : text_of(*bytes)) {
        if (c != '\n') {
          line += c;
        } else {
          ++all[std::exchange(line, {})];
        }
      }
    }
    return all;
  }
  const std::vector<WallTime>& times() const { return times_; }
  std::size_t unsealed() const { return unsealed_.size(); }
  int fail_seals = 0;

 private:
  static std::string path(SegmentId number) { return "/data/out/" + std::to_string(number); }
  std::set<SegmentId> outputs() const {
    std::set<SegmentId> out;
    const auto entries = files_.list("/data/out");
    if (!entries) return out;
    for (const os::Entry& entry : *entries) {
      if (!entry.name.ends_with(".tmp")) out.insert(std::stoull(entry.name));
    }
    return out;
  }

  os::Files& files_;
  Cursor last_{};
  std::vector<WallTime> times_;
  std::map<SegmentId, std::vector<std::string>> unsealed_;
};

// A machine with a journal. Small sizes, so that little work crosses every border.
class Machine final {
 public:
  explicit Machine(std::uint64_t seed) : world(seed), keys(node().system().entropy) {}

  os::sim::Node& node() { return world.node("server"); }
  os::sim::Disk& disk() { return node().disk(); }

  Status start() {
    consumer = std::make_unique<FileConsumer>(node().system().files);
    Log log([this](std::string_view line) { lines += line; });
    journal = TRY(Journal::open(node().system(), keys, log, metrics, options,
                                [this](std::string_view what) { alarms.emplace_back(what); }));
    journal->attach(*consumer);
    return journal->start();
  }
  void stop() {
    journal.reset();
    consumer.reset();
  }
  // A power cut and a new start; the disk keeps what it must.
  Status restart() {
    if (node().up()) node().crash();
    stop();
    node().restart();
    return start();
  }

  // Appends; the body is in `acknowledged` once it is durable, in `failed` if it never will be.
  Status append(const std::string& body, Delivery delivery = {}, std::uint32_t ticks = 1) {
    Record record;
    record.device[0] = 1;
    record.delivery = delivery;
    record.ticks = ticks;
    record.body = view_of(body);
    return journal->append(record, nullptr, [this, body](const Status& status) {
      (status ? acknowledged : failed).push_back(body);
    });
  }
  // Appends and lets the machine work until the answer is there (or the power is gone).
  bool append_and_wait(const std::string& body, Delivery delivery = {}) {
    const std::size_t before = acknowledged.size() + failed.size();
    if (!append(body, delivery)) return false;
    world.run_until([&] { return acknowledged.size() + failed.size() > before || !node().up(); },
                    seconds(10));
    return !acknowledged.empty() && acknowledged.back() == body;
  }
  void settle() { world.run_for(milliseconds(100)); }

  std::vector<std::string> folder() {
    std::vector<std::string> names;
    const auto entries = node().system().files.list("/data/journal");
    if (entries) {
      for (const os::Entry& entry : *entries) names.push_back(entry.name);
    }
    return names;
  }
  std::size_t with_suffix(std::string_view suffix) {
    std::size_t count = 0;
    for (const std::string& name : folder()) count += name.ends_with(suffix) ? 1 : 0;
    return count;
  }

  os::sim::Simulation world;
  MemoryKeys keys;
  Metrics metrics;
  Options options{
      .folder = "/data/journal", .segment_bytes = 4096, .fill_bytes = 1024, .headroom_bytes = 8192};
  std::string lines;
  std::vector<std::string> alarms;
  std::vector<std::string> acknowledged;
  std::vector<std::string> failed;
  std::unique_ptr<FileConsumer> consumer;
  std::unique_ptr<Journal> journal;
};

}  // namespace holdfast::journal
