// A file system layer (SQLite's VFS) over os::Files, for one database of this process. Locks and
// the WAL's shared memory are plain memory here: SQLite's protocol between connections stays as it
// is, and no other process takes part. Temporary files do not exist (temp_store=MEMORY).
//
// SQLite asks a directory sync for a new journal or WAL at the first sync of that file; so do we.
// Threads: any; the table of open files is guarded, each sqlite3_file is used by one thread at a
// time.
#pragma once

#include <memory>
#include <string>

#include "libs/os/system.hpp"

struct sqlite3_vfs;

namespace holdfast::sql {

class SqliteVfs final {
 public:
  // Registers under a name of its own; `system` outlives it, and it outlives its connections.
  static Result<std::unique_ptr<SqliteVfs>> make(const os::System& system);
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;
  const std::string& name() const { return name_; }

  struct State;

 private:
  explicit SqliteVfs(const os::System& system);
  std::string name_;
  std::unique_ptr<State> state_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace holdfast::sql
