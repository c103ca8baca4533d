// Store: the embedded adapter of the series port. Readings come from the journal, live in the head
// until their segment is sealed, then in encrypted column files by day and retention class, which
// are merged in the background (docs/spec/series.md).
//
// Life: open(), journal.attach(*store), journal.start(). The journal goes first at the end.
// Threads: any, for the port; the journal calls the Consumer side.
#pragma once

#include <set>

#include "libs/base/log.hpp"
#include "server/store/series/files.hpp"
#include "server/store/series/head.hpp"
#include "server/store/series/series.hpp"

namespace holdfast::series {

struct StoreOptions {
  std::string folder;  // "<data>/series"
  HeadLimits limits{};
  std::size_t cache_bytes_max = 64 * 1024 * 1024;
  std::vector<RetentionClass> classes = {{}};
};

class Store final : public Series, public journal::Consumer {
 public:
  static Result<std::unique_ptr<Store>> open(const os::System& system, KeySource& keys,
                                             journal::Journal& journal, Log log, Metrics& metrics,
                                             StoreOptions options, journal::AlarmFn alarm = {});
  ~Store() override;

  // ---- the port
  Status admit(const Ulid& device, View reading_body) override {
    return head_.admit(device, reading_body);
  }
  Cardinality cardinality(const Ulid& device) override { return head_.cardinality(device); }
  Result<std::vector<Last>> metrics(const Ulid& device) override;
  Result<Outcome> last(
      const std::vector<Ulid>& devices, const std::vector<std::string>& metrics, MonoTime deadline,
      const std::function<void(std::size_t, std::size_t, const Point&)>& use) override;
  Result<Outcome> range(const RangeQuery& query,
                        const std::function<bool(const std::vector<Point>&)>& use) override;
  Result<BucketAnswer> buckets(const BucketQuery& query) override;
  Status set_retention(std::vector<RetentionClass> classes) override;
  std::vector<RetentionUse> retention() override;
  Result<std::vector<RetentionStep>> retention_preview(
      WallTime until, const std::optional<std::vector<RetentionClass>>& instead = {}) override;
  Result<std::vector<RetentionStep>> retention_apply(WallTime now) override;
  Result<ErasePreview> erase_preview(const Ulid& subject) override;
  Result<ErasePreview> erase(const Ulid& subject) override;

  // ---- the journal's consumer
  Result<journal::SegmentId> newest_output() const override { return files_.newest(); }
  Status begin(SegmentId first_unsealed) override;
  void committed(const journal::Batch& batch) override;
  Status seal(SegmentId segment) override;
  void sealed(SegmentId segment) override;

  // Merges what is due and returns then: for a regular job. Not from a loop.
  Status maintain();
  std::uint64_t series_count() const { return head_.series(); }
  VersionPtr version() const { return files_.version(); }

 private:
  struct Metric {
    std::string_view stream, field;
  };
  static Result<Metric> split(std::string_view metric);
  // A piece of one metric's points in order, as queries see them.
  struct Piece {
    const std::vector<std::int64_t>& time;  // of rows
    const Times* times;  // with source and other; null where it was not asked for
    const Column& column;
  };
  using UsePiece = std::function<bool(const Piece&)>;
  // A group whose values need not be decoded: true if `use` took what the directory says of it.
  using UseInfo = std::function<bool(const GroupInfo&, const ColumnInfo&)>;
  // What is left of a day whose points are gone.
  using UseRolled = std::function<void(std::vector<Bucket>)>;
  struct Uses {
    UsePiece piece;
    UseInfo info;  // may be empty, as `rolled`
    UseRolled rolled;
  };
  struct Walk {
    Ulid device{};
    Metric metric;
    std::int64_t from = INT64_MIN, to = INT64_MAX;
    bool newest_first = false;
    bool full_times = true;
    MonoTime deadline = kNever;
    Compressor* compressor = nullptr;  // of this walk
  };

  Store(const os::System& system, KeySource& keys, journal::Journal& journal, Log log,
        Metrics& metrics, StoreOptions options, journal::AlarmFn alarm);

  void look_again();

  // query.cpp
  Outcome walk(const Walk& walk, const Uses& uses);
  std::map<std::int64_t, std::vector<Source>> head_days(const Walk& walk,
                                                        VersionPtr& version) const;
  struct DayGroups;
  DayGroups groups_of(const Walk& walk, const std::vector<FilePtr>& files, Outcome& outcome);
  Status walk_rollup(const Walk& walk, const FilePtr& file, const UseRolled& use);
  bool walk_day(const Walk& walk, const std::vector<FilePtr>& files, std::vector<Source> head,
                const Uses& uses, Outcome& outcome);
  static void leave_out(Outcome& outcome, const char* why);
  bool late(MonoTime deadline, Outcome& outcome) const;

  // lasts.cpp
  bool load_older(const Ulid& device, std::int64_t before, std::int64_t floor, bool& all_read);
  void end_loading(const Ulid& device, const VersionPtr& began, bool all_read);
  Status lasts_in_file(const FilePtr& file, const Ulid& device, std::map<std::string, Last>& newest,
                       Compressor& compressor);

  // seal.cpp
  struct Part;
  Result<std::vector<FileName>> write_segment(SegmentId segment);
  Status write_file(const FileName& name, const std::vector<Part>& parts,
                    const std::map<Ulid, Key>& subject_keys);

  // merge.cpp
  Status merge_what_is_due();
  // With a length, into a roll-up.
  Status merge(const std::vector<FilePtr>& inputs, std::optional<Duration> rollup = std::nullopt);
  std::vector<std::vector<FilePtr>> due_for_merge() const;

  // retention.cpp
  // Files of one class and day that go, and how.
  struct Due {
    RetentionStep step;
    std::vector<FilePtr> files;
    std::optional<Duration> rollup;
  };
  std::vector<Due> due(WallTime now, WallTime until,
                       const std::optional<std::vector<RetentionClass>>& instead = {}) const;
  Status retain(const std::vector<Due>& all);
  void note_oldest();

  void raise_alarm(const std::string& what);

  os::System system_;
  KeySource& keys_;
  journal::Journal& journal_;
  Log log_;
  journal::AlarmFn alarm_;
  StoreOptions options_;
  Head head_;
  FileSet files_;
  UnitCache cache_;
  Guarded<std::vector<RetentionClass>> classes_;
  std::array<std::int64_t, 256> oldest_{};              // the committer's; see committed()
  std::map<SegmentId, std::vector<FileName>> written_;  // sealed, not yet served; the sealer's
  Guarded<std::set<std::string>> unmergeable_;          // damaged inputs, by path
  Guarded<bool> merge_posted_{false};
  std::atomic<std::int64_t> look_again_at_{INT64_MIN};  // monotonic, microseconds
  std::unique_ptr<os::Workers> merge_workers_;
};

std::string subject_purpose(const Ulid& subject);                         // "series:01J9..."
Point point_of(const Times& times, const Column& column, std::size_t i);  // the i-th value's

}  // namespace holdfast::series
