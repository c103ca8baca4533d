// Disk: the simulated disk of one node. It outlives the node's lives and is lost with the
// Simulation.
//
// What it promises, and no more than files.hpp does:
// - A write is visible at once and on disk after sync() of its file. A created, renamed or removed
//   name is visible at once and on disk after sync_dir() of its folder; so is a new folder's own
//   name, after sync_dir() of its parent. `/` and `/data` exist from the start. Relative paths
//   start at `/`.
// - A power cut keeps, of each 512-byte sector, what was on disk or any later content of that
// sector;
//   of each file's size likewise; of names any set of the unsynced changes that respects the order
//   of changes to the same name. A rename survives whole or not at all.
// - A failing sync leaves any mixture on disk, and a later sync does not repair it.
//
// "Operations" are changes, counted from 1 over all lives: creating opens, writes, truncates,
// syncs, renames, removes, new folders and syncs of folders. A test learns how many a scenario
// makes, then runs it again with fail_at(1), fail_at(2), ... or crash_at(1), crash_at(2), ...
// Threads: the simulation's one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/os/files.hpp"
#include "libs/os/sim/random.hpp"

namespace holdfast::os::sim {

class Scheduler;
struct Inode;

class Disk {
 public:
  static constexpr std::uint64_t kCapacity = 1ULL << 40;  // bytes, until set_capacity()

  Disk(Scheduler& scheduler, std::string owner, std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // ---- faults
  std::uint64_t operations() const { return operations_; }
  // That operation changes nothing and answers `code`; a failing sync is as described above.
  void fail_at(std::uint64_t operation, Code code = Code::io_error);
  // The power goes while that operation is under way; its caller gets io_error, as does every later
  // caller of this life. Crash the node (Node::crash) to end its life between operations.
  void crash_at(std::uint64_t operation);
  // Reads are counted apart, from 1.
  std::uint64_t reads() const { return reads_; }
  void fail_read_at(std::uint64_t read);
  // Forgets what is planned by fail_at(), crash_at() and fail_read_at().
  void plan_no_faults();
  // Bytes of all files together; growth beyond it writes what fits and answers disk_full.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used() const { return used_; }
  // Every operation takes this long: simulated time passes for all nodes meanwhile.
  void set_slow(Duration per_operation) { slow_ = per_operation; }
  // Flips one bit, on disk and in what readers see. not_found beyond the end.
  Status flip_bit(const std::string& path, std::uint64_t byte, unsigned bit = 0);
  // What would certainly survive a power cut now; for assertions.
  Result<Bytes> durable_content(const std::string& path) const;

  // ---- for the node
  void on_crash(std::function<void()> crash) { crash_ = std::move(crash); }
  void lose_power();  // unsynced changes meet their fate
  Result<std::shared_ptr<Inode>> open(const std::string& path, Open mode);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& path);
  Result<std::vector<Entry>> list(const std::string& folder);
  Status make_folder(const std::string& path);
  Status sync_dir(const std::string& folder);
  Result<Entry> stat(const std::string& path);
  Result<Space> space(const std::string& path);
  Result<Bytes> read(const Inode& file, std::uint64_t offset, std::size_t size);
  Status write(Inode& file, std::uint64_t offset, View bytes);
  Status truncate(Inode& file, std::uint64_t size);
  Status sync(Inode& file);

 private:
  struct Slot {  // a name in a folder
    std::shared_ptr<Inode> folder;
    std::string name;
    std::shared_ptr<Inode> value;  // null: no such name
  };
  using NameChange = std::vector<Slot>;  // one, or the two of a rename: all survive or none
  enum class Step { go, crash };

  // Counts the operation and meets what was planned for it.
  Result<Step> begin(std::string_view what, std::string_view path, std::uint64_t detail);
  Status end(Step step);
  Status crash();
  void change_names(NameChange change);
  void drop_name(Inode& folder, const std::string& name);
  void make_durable(const NameChange& change);
  void sync_names(const Inode& folder);
  void settle_names();
  void settle_tree(Inode& inode);
  std::shared_ptr<Inode> find(std::string_view path) const;
  Result<Slot> slot_of(const std::string& path) const;
  Result<std::shared_ptr<Inode>> add(Slot slot, std::string_view what, const std::string& path,
                                     bool folder);

  Scheduler& scheduler_;
  const std::string owner_;
  Random random_;
  std::shared_ptr<Inode> root_;
  std::vector<NameChange> unsynced_;
  std::function<void()> crash_;
  std::map<std::uint64_t, Code> fail_at_;
  std::optional<std::uint64_t> crash_at_;
  std::optional<std::uint64_t> fail_read_at_;
  std::uint64_t operations_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t capacity_ = kCapacity;
  std::uint64_t used_ = 0;
  Duration slow_{};
};

}  // namespace holdfast::os::sim
