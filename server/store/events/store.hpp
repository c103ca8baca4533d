// Store: the embedded adapter of the events port. Events come from the journal, lie in memory until
// their segment is sealed, then in encrypted files of compressed blocks, in order of arrival
// (docs/spec/events.md).
//
// Life: open(), journal.attach(*store), journal.start(). The journal goes first at the end.
// Threads: any, for the port; the journal calls the Consumer side.
#pragma once

#include "libs/base/guarded.hpp"
#include "libs/base/log.hpp"
#include "server/store/events/search.hpp"
#include "server/store/journal/journal.hpp"

namespace holdfast::events {

struct StoreOptions {
  std::string folder;                         // "<data>/events"
  std::uint64_t file_events_max = 2'097'152;  // merging stops here
  std::optional<Duration> keep{};
  std::optional<std::uint64_t> bytes_max{};
};

class Store final : public Events, public journal::Consumer {
 public:
  static Result<std::unique_ptr<Store>> open(const os::System& system, KeySource& keys,
                                             journal::Journal& journal, Log log, Metrics& metrics,
                                             StoreOptions options, journal::AlarmFn alarm = {});
  ~Store() override;

  // ---- the port
  Result<Answer> query(const Query& query) override;
  Result<Tally> tally(const TallyQuery& query) override;
  Result<Explain> explain(const Query& query) override;
  Status set_retention(std::optional<Duration> keep,
                       std::optional<std::uint64_t> bytes_max) override;
  Result<Receipt> retention_preview(WallTime now) override;
  Result<Receipt> retention_apply(WallTime now) override;
  Result<Receipt> erase_preview(const Ulid& subject) override;
  Result<Receipt> erase(const Ulid& subject) override;

  // ---- the journal's consumer
  Result<SegmentId> newest_output() const override;
  Status begin(SegmentId first_unsealed) override;
  void committed(const journal::Batch& batch) override;
  Status seal(SegmentId segment) override;
  void sealed(SegmentId segment) override;

  // Merges what is due and returns then: for a regular job. Not from a loop.
  Status maintain();
  std::vector<FilePtr> files() const;  // oldest first

 private:
  struct Retention {
    std::optional<Duration> keep;
    std::optional<std::uint64_t> bytes_max;
  };
  struct Lost {
    FileName name;
    bool for_good = false;  // else reading failed: it may be read another time
  };
  using Memory = std::map<SegmentId, std::vector<ChunkPtr>>;
  using Written = std::map<SegmentId, FilePtr>;

  Store(const os::System& system, KeySource& keys, journal::Journal& journal, Log log,
        Metrics& metrics, StoreOptions options, journal::AlarmFn alarm);
  std::string path(const FileName& name) const {
    return os::join(options_.folder, file_name_text(name));
  }
  void raise_alarm(const std::string& what) const;

  // Something of a file cannot be read: an alarm, once for each file.
  void report_damage(const FilePtr& file, const Error& error) const;
  std::vector<ChunkPtr> chunks_of_memory() const;  // oldest first
  // Tries again to open what could not be read.
  void look_again();
  void serve_late(const FilePtr& file);
  std::vector<Lost> lost() const;

  // query.cpp
  struct Page;
  void search_memory(Page& page) const;
  void search_file(Page& page, const FilePtr& file) const;
  void search_group(Page& page, const FilePtr& file, FileReader& reader, const Group& group) const;

  // tally.cpp
  class Counting;
  static bool count_rollup(const Search& search, Counting& counter, const Rollup& rollup);
  static Status count_group(Search& search, Counting& counter, FileReader& reader,
                            const Group& group);

  // keep.cpp
  Result<FilePtr> write_file(const FileName& name, std::uint64_t events,
                             const std::function<Status(FileWriter&)>& fill);
  Status merge_what_is_due();
  std::size_t run_before(const std::vector<FilePtr>& all, std::size_t end) const;
  Status merge(const std::vector<FilePtr>& inputs);
  void replace(const std::vector<FilePtr>& old, const FilePtr& with);
  Status destroy_unused_keys();
  std::vector<FilePtr> past_retention(WallTime now) const;
  // How many events of each group concern the subject; what cannot be read counts as one.
  Result<std::vector<std::uint64_t>> count_of(const FilePtr& file, const Ulid& subject) const;
  Status rewrite_without(const FilePtr& file, const Ulid& subject,
                         const std::vector<std::uint64_t>& counts);
  Status add_rows_without(FileWriter& writer, FileReader& reader, const FilePtr& file,
                          const Group& group, const Ulid& subject) const;

  os::System system_;
  KeySource& keys_;
  journal::Journal& journal_;
  Log log_;
  journal::AlarmFn alarm_;
  StoreOptions options_;
  Counter& malformed_;
  Counter& damage_;
  Guarded<Retention> retention_;
  Guarded<Memory> memory_;
  Guarded<std::vector<FilePtr>> files_;
  Guarded<std::vector<Lost>> lost_;                     // files left out
  std::atomic<std::int64_t> look_again_at_{INT64_MIN};  // monotonic, microseconds
  Guarded<Written> written_;                            // sealed, not yet served
  std::unique_ptr<os::Workers> merge_workers_;
};

}  // namespace holdfast::events
