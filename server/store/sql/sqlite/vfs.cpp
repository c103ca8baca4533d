#include "server/store/sql/sqlite/vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "libs/base/guarded.hpp"

namespace holdfast::sql {

constexpr std::size_t kPathBytesMax = 1'024;
constexpr std::int64_t kJulianEpochMs = 210'866'760'000'000;  // 1970-01-01 in julian milliseconds
constexpr int kShmSlots = SQLITE_SHM_NLOCK;

// Locks and shared memory of one database file, between the connections of this process.
struct Locks {
  int shared = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
  std::vector<std::unique_ptr<std::uint8_t[]>> regions;
  int mapped = 0;  // connections that use the regions
  struct Slot {
    int shared = 0;
    const void* exclusive = nullptr;
  };
  std::array<Slot, kShmSlots> slots;
};
using SharedLocks = std::shared_ptr<Guarded<Locks>>;

struct SqliteVfs::State {
  explicit State(const os::System& system) : outside(system) {}
  os::System outside;
  Guarded<std::map<std::string, SharedLocks>> locks;
  std::mutex released_mutex;
  std::condition_variable released;  // some lock was: whoever waits may try again

  SharedLocks locks_of(const std::string& path) {
    return locks.with([&](auto& map) {
      SharedLocks& found = map[path];
      if (!found) found = std::make_shared<Guarded<Locks>>();
      return found;
    });
  }
};

namespace {

struct OpenFile {
  SqliteVfs::State& state;
  std::string path;
  std::unique_ptr<os::File> file;
  SharedLocks locks;
  int level = SQLITE_LOCK_NONE;
  bool sync_dir = false;  // the name is new: sync its folder at the first sync
  bool delete_on_close = false;
  bool mapped = false;
  std::uint16_t shm_shared = 0;  // slots that this connection holds
  std::uint16_t shm_exclusive = 0;
};

// What SQLite allocates for us.
struct Handle {
  sqlite3_file base;
  OpenFile* open;
};

OpenFile& open_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->open;
}

int code_of(const Error& error, int otherwise) {
  if (error.code == Code::disk_full) return SQLITE_FULL;
  return otherwise;
}

// ---- bytes

int file_read(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
  const auto size = static_cast<std::size_t>(count);
  const auto bytes = open_of(file).file->read_at(static_cast<std::uint64_t>(offset), size);
  if (!bytes) return SQLITE_IOERR_READ;
  std::copy(bytes->begin(), bytes->end(), static_cast<std::uint8_t*>(into));
  if (bytes->size() == size) return SQLITE_OK;
  // SQLite wants what lies beyond the end as zeros.
  std::memset(static_cast<std::uint8_t*>(into) + bytes->size(), 0, size - bytes->size());
  return SQLITE_IOERR_SHORT_READ;
}

int file_write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  const View bytes(static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(count));
  const Status done = open_of(file).file->write_at(static_cast<std::uint64_t>(offset), bytes);
  return done ? SQLITE_OK : code_of(done.error(), SQLITE_IOERR_WRITE);
}

int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  const Status done = open_of(file).file->truncate(static_cast<std::uint64_t>(size));
  return done ? SQLITE_OK : code_of(done.error(), SQLITE_IOERR_TRUNCATE);
}

int file_sync(sqlite3_file* file, int /*flags*/) {
  OpenFile& open = open_of(file);
  if (!open.file->sync()) return SQLITE_IOERR_FSYNC;
  if (open.sync_dir) {
    if (!open.state.outside.files.sync_dir(os::folder_of(open.path))) return SQLITE_IOERR_DIR_FSYNC;
    open.sync_dir = false;
  }
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* out) {
  const auto size = open_of(file).file->size();
  if (!size) return SQLITE_IOERR_FSTAT;
  *out = static_cast<sqlite3_int64>(*size);
  return SQLITE_OK;
}

// ---- locks of the database file

int lock(OpenFile& open, Locks& locks, int level) {
  const void* me = &open;
  const auto others = [&](const void* holder) { return holder != nullptr && holder != me; };
  if (open.level >= level) return SQLITE_OK;
  if (level == SQLITE_LOCK_SHARED) {
    if (others(locks.pending) || others(locks.exclusive)) return SQLITE_BUSY;
    ++locks.shared;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (others(locks.reserved) || others(locks.pending)) return SQLITE_BUSY;
    locks.reserved = me;
  } else {
    if (others(locks.reserved) || others(locks.pending)) return SQLITE_BUSY;
    locks.pending = me;  // no new readers; those that are there finish
    open.level = std::max(open.level, SQLITE_LOCK_PENDING);
    if (locks.shared > 1) return SQLITE_BUSY;
    locks.exclusive = me;
  }
  open.level = level;
  return SQLITE_OK;
}

void unlock(OpenFile& open, Locks& locks, int level) {
  const void* me = &open;
  if (open.level <= level) return;
  if (locks.exclusive == me) locks.exclusive = nullptr;
  if (locks.pending == me) locks.pending = nullptr;
  if (locks.reserved == me) locks.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && open.level >= SQLITE_LOCK_SHARED) --locks.shared;
  open.level = level;
}

int file_lock(sqlite3_file* file, int level) {
  OpenFile& open = open_of(file);
  if (!open.locks) return SQLITE_OK;
  return open.locks->with([&](Locks& locks) { return lock(open, locks, level); });
}

int file_unlock(sqlite3_file* file, int level) {
  OpenFile& open = open_of(file);
  if (!open.locks) return SQLITE_OK;
  open.locks->with([&](Locks& locks) { unlock(open, locks, level); });
  open.state.released.notify_all();
  return SQLITE_OK;
}

int file_check_reserved(sqlite3_file* file, int* out) {
  OpenFile& open = open_of(file);
  *out = open.locks && open.locks->with([](Locks& locks) { return locks.reserved != nullptr; });
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int file_sector_size(sqlite3_file*) {
  return 4'096;
}
// A write that the power cuts changes nothing outside of its own bytes.
int file_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// ---- shared memory of the WAL index

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  OpenFile& open = open_of(file);
  *out = open.locks->with([&](Locks& locks) -> void* {
    if (!open.mapped) {
      open.mapped = true;
      ++locks.mapped;
    }
    const auto index = static_cast<std::size_t>(region);
    while (extend != 0 && locks.regions.size() <= index) {
      locks.regions.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size)));
    }
    return index < locks.regions.size() ? locks.regions[index].get() : nullptr;
  });
  return SQLITE_OK;
}

int shm_lock_shared(OpenFile& open, Locks::Slot& slot, std::uint16_t bit) {
  if ((open.shm_shared & bit) != 0) return SQLITE_OK;
  if (slot.exclusive != nullptr) return SQLITE_BUSY;
  ++slot.shared;
  open.shm_shared = static_cast<std::uint16_t>(open.shm_shared | bit);
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  OpenFile& open = open_of(file);
  const int code = open.locks->with([&](Locks& locks) {
    const auto first = static_cast<std::size_t>(offset);
    const auto last = first + static_cast<std::size_t>(count);
    const auto bit_of = [](std::size_t i) { return static_cast<std::uint16_t>(1U << i); };
    if ((flags & SQLITE_SHM_LOCK) != 0 && (flags & SQLITE_SHM_SHARED) != 0) {
      return shm_lock_shared(open, locks.slots[first], bit_of(first));
    }
    if ((flags & SQLITE_SHM_LOCK) != 0) {
      for (std::size_t i = first; i < last; ++i) {
        const Locks::Slot& slot = locks.slots[i];
        const bool held = (open.shm_exclusive & bit_of(i)) != 0;
        if (!held && (slot.exclusive != nullptr || slot.shared > 0)) return SQLITE_BUSY;
      }
    }
    for (std::size_t i = first; i < last; ++i) {
      Locks::Slot& slot = locks.slots[i];
      const std::uint16_t bit = bit_of(i);
      if ((flags & SQLITE_SHM_LOCK) != 0) {
        slot.exclusive = &open;
        open.shm_exclusive = static_cast<std::uint16_t>(open.shm_exclusive | bit);
        continue;
      }
      if ((open.shm_shared & bit) != 0) --slot.shared;
      if (slot.exclusive == &open) slot.exclusive = nullptr;
      open.shm_shared = static_cast<std::uint16_t>(open.shm_shared & ~bit);
      open.shm_exclusive = static_cast<std::uint16_t>(open.shm_exclusive & ~bit);
    }
    return SQLITE_OK;
  });
  if ((flags & SQLITE_SHM_UNLOCK) != 0) open.state.released.notify_all();
  return code;
}

void shm_barrier(sqlite3_file* file) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // As SQLite's own layers do: a mutex as well, for what the fence does not order.
  open_of(file).locks->with([](Locks&) {});
}

int shm_unmap(sqlite3_file* file, int /*delete_flag*/) {
  OpenFile& open = open_of(file);
  if (!open.mapped) return SQLITE_OK;
  open.locks->with([&](Locks& locks) {
    open.mapped = false;
    // Whoever maps next finds it empty and rebuilds it from the WAL.
    if (--locks.mapped == 0) locks.regions.clear();
  });
  return SQLITE_OK;
}

int file_close(sqlite3_file* file) {
  OpenFile* open = &open_of(file);
  if (open->locks) {
    shm_lock(file, 0, kShmSlots, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    shm_unmap(file, 0);
    file_unlock(file, SQLITE_LOCK_NONE);
  }
  open->file.reset();
  if (open->delete_on_close) (void)open->state.outside.files.remove(open->path);
  delete open;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kFileMethods{
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

// ---- the layer itself

SqliteVfs::State& state_of(sqlite3_vfs* vfs) {
  return *static_cast<SqliteVfs::State*>(vfs->pAppData);
}

int vfs_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;  // nothing to close if this fails
  if (name == nullptr) return SQLITE_CANTOPEN;
  SqliteVfs::State& state = state_of(vfs);
  os::Files& files = state.outside.files;
  const std::string path = name;
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  const bool is_new = creates && !os::exists(files, path);
  os::Open mode = (flags & SQLITE_OPEN_READWRITE) != 0 ? os::Open::write : os::Open::read;
  if (is_new) mode = (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? os::Open::create_new : os::Open::create;
  auto opened = files.open(path, mode);
  if (!opened) return code_of(opened.error(), SQLITE_CANTOPEN);
  const bool database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  auto* open = new OpenFile{.state = state,
                            .path = path,
                            .file = std::move(*opened),
                            .locks = database ? state.locks_of(path) : nullptr};
  open->sync_dir = is_new;
  open->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  reinterpret_cast<Handle*>(file)->open = open;
  file->pMethods = &kFileMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int vfs_delete(sqlite3_vfs* vfs, const char* name, int sync_dir) {
  os::Files& files = state_of(vfs).outside.files;
  const Status removed = files.remove(name);
  if (!removed) {
    return removed.error().code == Code::not_found ? SQLITE_IOERR_DELETE_NOENT
                                                   : SQLITE_IOERR_DELETE;
  }
  if (sync_dir != 0 && !files.sync_dir(os::folder_of(name))) return SQLITE_IOERR_DIR_FSYNC;
  return SQLITE_OK;
}

int vfs_access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* out) {
  const auto entry = state_of(vfs).outside.files.stat(name);
  if (!entry && entry.error().code != Code::not_found) return SQLITE_IOERR_ACCESS;
  // An empty file does not exist: so SQLite's own layers answer for journals.
  *out = entry && (entry->folder || entry->size > 0);
  return SQLITE_OK;
}

int vfs_full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  const std::size_t length = std::strlen(name);
  if (length + 1 > static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int vfs_randomness(sqlite3_vfs* vfs, int count, char* out) {
  state_of(vfs).outside.entropy.fill(
      {reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(count)});
  return count;
}

// SQLite waits like this when another connection holds a lock that it wants; one thread alone (a
// simulation) never does. A lock that is released ends the wait early.
int vfs_sleep(sqlite3_vfs* vfs, int microseconds) {
  SqliteVfs::State& state = state_of(vfs);
  std::unique_lock lock(state.released_mutex);
  state.released.wait_for(lock, std::chrono::microseconds(microseconds));
  return microseconds;
}

int vfs_now_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
  *out = kJulianEpochMs + state_of(vfs).outside.clock.wall().us / 1'000;
  return SQLITE_OK;
}

int vfs_now(sqlite3_vfs* vfs, double* out) {
  sqlite3_int64 ms = 0;
  vfs_now_ms(vfs, &ms);
  *out = static_cast<double>(ms) / 86'400'000.0;
  return SQLITE_OK;
}

}  // namespace

SqliteVfs::SqliteVfs(const os::System& system)
    : state_(new State(system)), vfs_(std::make_unique<sqlite3_vfs>()) {
  char name[40];
  std::snprintf(name, sizeof name, "holdfast-%p", static_cast<void*>(state_.get()));
  name_ = name;
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 2;
  vfs_->szOsFile = sizeof(Handle);
  vfs_->mxPathname = kPathBytesMax;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = state_.get();
  vfs_->xOpen = vfs_open;
  vfs_->xDelete = vfs_delete;
  vfs_->xAccess = vfs_access;
  vfs_->xFullPathname = vfs_full_path;
  vfs_->xRandomness = vfs_randomness;
  vfs_->xSleep = vfs_sleep;
  vfs_->xCurrentTime = vfs_now;
  vfs_->xCurrentTimeInt64 = vfs_now_ms;
}

Result<std::unique_ptr<SqliteVfs>> SqliteVfs::make(const os::System& system) {
  std::unique_ptr<SqliteVfs> vfs(new SqliteVfs(system));
  if (sqlite3_vfs_register(vfs->vfs_.get(), 0) != SQLITE_OK) {
    return fail(Code::internal, "SQLite takes no file system layer");
  }
  return vfs;
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace holdfast::sql
