// FileSet: which series files there are, as one immutable version that queries hold on to while
// sealing, merging and retention make the next one; and a bounded memory of what was read of them.
// Threads: any.
#pragma once

#include <list>
#include <map>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "server/store/series/file.hpp"

namespace holdfast::series {

struct Version {
  SegmentId sealed = 0;                               // rows of the journal up to here lie in files
  std::map<std::int64_t, std::vector<FilePtr>> days;  // by `last`, then class
  std::vector<FileName> unread;                       // reading failed: open_unread() tries again
  std::vector<FileName> damaged;                      // left out for good

  // Is anything left out of the days first to last?
  bool lacks(std::int64_t first, std::int64_t last) const;
};
using VersionPtr = std::shared_ptr<const Version>;

class FileSet final {
 public:
  FileSet(os::Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // Looks at the folder: removes what is unfinished or superseded (docs/spec/series.md, Files),
  // opens the rest. Damaged files are named to `alarm` and left alone; those that could only not be
  // read are for open_unread().
  using AlarmFn = std::function<void(const std::string&)>;
  Status load(SegmentId first_unsealed, const AlarmFn& alarm);
  // Tries again to open what could not be read. True when one is served now.
  bool open_unread(const AlarmFn& alarm);
  // The highest `last` of any file in the folder; 0: none.
  Result<SegmentId> newest() const;

  VersionPtr version() const;
  std::string path(const FileName& name) const;
  // Makes a day's folder; its name is durable.
  Status make_day(std::int64_t day);
  // Opens files that were just published, and serves them: all at once, with `sealed`.
  Status add(const std::vector<FileName>& names, SegmentId sealed);
  // `merged` takes the place of `inputs`, if all of them are still there; else it is removed.
  Status replace(const std::vector<FilePtr>& inputs, const FileName& merged);
  // Takes files out of service; each is removed from disk when its last reader is gone.
  void remove(const std::vector<FilePtr>& gone);

 private:
  struct Listed {
    std::vector<FileName> names;
    std::vector<std::string> unfinished;
  };
  Result<Listed> list() const;
  void serve_late(const FilePtr& file);

  os::Files& files_;
  std::string folder_;
  Guarded<VersionPtr> version_{std::make_shared<const Version>()};
};

// Footers and open units, the least recently used forgotten first.
class UnitCache final {
 public:
  UnitCache(KeySource& keys, std::size_t bytes_max) : keys_(keys), bytes_max_(bytes_max) {}

  using Units = std::shared_ptr<const std::vector<Unit>>;
  using UnitPtr = std::shared_ptr<const OpenUnit>;
  Result<Units> footer(const FilePtr& file);
  // Units of a device in a file; those whose key is gone are left out.
  Result<std::vector<UnitPtr>> units(const FilePtr& file, const Ulid& device,
                                     Compressor& compressor);
  void clear();  // after keys were destroyed

 private:
  // A footer has unit UINT32_MAX. The file pointer keeps the key unique while it is here.
  struct Id {
    const SeriesFile* file = nullptr;
    std::uint32_t unit = 0;
    bool operator==(const Id&) const = default;
  };
  struct IdHash {
    std::size_t operator()(const Id& id) const noexcept {
      return reinterpret_cast<std::uintptr_t>(id.file) * 31 + id.unit;
    }
  };
  struct Entry {
    Id id;
    FilePtr file;
    std::shared_ptr<const void> content;
    std::size_t bytes = 0;
  };
  struct State {
    std::list<Entry> by_use;  // the latest first
    std::unordered_map<Id, std::list<Entry>::iterator, IdHash> by_id;
    std::size_t bytes = 0;
  };
  std::shared_ptr<const void> find(const Id& id);
  void keep(const Id& id, const FilePtr& file, std::shared_ptr<const void> content,
            std::size_t bytes);

  KeySource& keys_;
  const std::size_t bytes_max_;
  Guarded<State> state_;
};

}  // namespace holdfast::series
