#include "server/app/backup.hpp"

#include "libs/crypto/hash.hpp"
#include "libs/wire/tar.hpp"
#include "server/app/app.hpp"
#include "server/store/sql/carry.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::app {
namespace {

constexpr std::string_view kCopy = "backup.db.tmp";
constexpr std::string_view kCarried = "backup.carried.tmp";
constexpr std::string_view kIdHeader = "Holdfast-Backup-Id";
constexpr int kListTries = 3;

// Folders whose files are written once and replaced as a whole.
constexpr std::array<std::string_view, 4> kFolders{"series", "events", "audit", "ca"};

bool temporary(std::string_view name) {
  return name.ends_with(".tmp") || name.ends_with(".bad");
}

Bytes digest_of(const crypto::Sha256& digest) {
  return {digest.begin(), digest.end()};
}

}  // namespace

// An open file: it can be read to its end even if it is removed meanwhile.
struct Backup::Member {
  std::string name;
  std::unique_ptr<os::File> file;
  std::uint64_t size = 0;
};

// The archive as a source of bytes: header, content, padding of each member; then COMPLETE.
struct Backup::Stream {
  Backup& backup;
  core::Caller caller;
  BackupId id;
  std::vector<Member> members;
  std::string copy;
  std::size_t next = 0;
  std::uint64_t offset = 0;  // in the member that is being read
  bool in_member = false;
  bool complete = false;
  bool released = false;
  std::uint64_t bytes = 0;
  crypto::Hasher hasher{crypto::Digest::sha256};

  Stream(Backup& of, core::Caller who, BackupId which, std::vector<Member> all,
         std::string temporary_copy)
      : backup(of),
        caller(std::move(who)),
        id(which),
        members(std::move(all)),
        copy(std::move(temporary_copy)) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { release(); }

  // Once: when the last piece is made, or when the client went away before.
  void release() {
    if (std::exchange(released, true)) return;
    (void)backup.system_.files.remove(copy);
    backup.busy_.with([](bool& busy) { busy = false; });
  }

  Result<Bytes> read(std::size_t most) {
    Bytes out = TRY(piece(most));
    bytes += out.size();
    return out;
  }

  Result<Bytes> piece(std::size_t most) {
    if (complete) return Bytes{};
    if (next == members.size()) return finish();
    Member& member = members[next];
    if (!in_member) {
      in_member = true;
      offset = 0;
      return hashed(TRY(wire::tar_header({member.name, member.size, backup.system_.clock.wall()})));
    }
    if (offset < member.size) {
      const auto want =
          static_cast<std::size_t>(std::min<std::uint64_t>(most, member.size - offset));
      Bytes content = TRY(member.file->read_at(offset, want));
      if (content.empty())
        return fail(Code::corrupt, member.name + " became shorter while it was read");
      offset += content.size();
      return hashed(std::move(content));
    }
    const Bytes padding(wire::tar_padding(member.size), 0);
    member.file.reset();
    in_member = false;
    ++next;
    return padding.empty() ? piece(most) : hashed(padding);
  }

  Bytes hashed(Bytes content) {
    hasher.update(content);
    return content;
  }

  Result<Bytes> finish() {
    complete = true;
    const std::size_t count = members.size();
    members.clear();
    release();
    const WallTime now = backup.system_.clock.wall();
    const std::string text = wire::json_text(wire::JsonObject{{"backup_id", id.text()},
                                                              {"created_at", to_rfc3339(now)},
                                                              {"version", backup.version_},
                                                              {"members", count},
                                                              {"bytes", bytes},
                                                              {"sha256", to_hex(hasher.finish())}});
    Bytes out = TRY(wire::tar_header({"COMPLETE", text.size(), now}));
    append(out, view_of(text));
    out.resize(out.size() + wire::tar_padding(text.size()), 0);
    append(out, wire::tar_end());
    const Status told =
        backup.parts_.store->record(caller, "backup.completed", [&](core::Change& change) {
          return change.notice(
              "backup.completed",
              wire::json_text(wire::JsonObject{{"backup_id", id.text()}, {"bytes", bytes}}));
        });
    if (!told)
      backup.log_.warning("the end of a backup could not be noted", {{"why", told.error().text()}});
    return out;
  }
};

Status Backup::open_folder(const std::string& folder, std::vector<Member>& out) {
  const std::string path = os::join(parts_.folder.data, folder);
  if (!os::exists(system_.files, path)) return {};
  const auto entries = TRY(system_.files.list(path));
  for (const os::Entry& entry : entries) {
    const std::string name = os::join(folder, entry.name);
    if (entry.folder) {
      TRY(open_folder(name, out));
      continue;
    }
    if (temporary(entry.name)) continue;
    Member member{name, TRY(system_.files.open(os::join(parts_.folder.data, name), os::Open::read)),
                  0};
    member.size = TRY(member.file->size());
    out.push_back(std::move(member));
  }
  return {};
}

// Of PostgreSQL: its rows in a file of the embedded engine, which restores into either.
Status Backup::copy_database(const std::string& path) {
  sql::Database& database = *parts_.database;
  if (database.engine() == sql::Engine::sqlite) return database.copy_to(path);
  sql::SqliteSettings settings;
  settings.path = os::join(parts_.folder.data, kCarried);
  const auto clear = [&] {
    for (const char* end : {"", "-wal", "-shm"}) (void)system_.files.remove(settings.path + end);
  };
  clear();
  const auto carry = [&]() -> Status {
    Metrics uncounted;
    const auto file = TRY(sql::open_sqlite(system_, uncounted, settings));
    TRY(core::migrate(*file, all_migrations(), system_.clock.wall()));
    TRY(sql::carry_rows(database, *file, {std::string(core::kMigrationTable)}));
    return file->copy_to(path);
  };
  const Status carried = carry();
  clear();
  return with_context(carried, "copying the database out of PostgreSQL");
}

Result<std::vector<Backup::Member>> Backup::open_members(const std::string& copy) {
  for (int attempt = 0;; ++attempt) {
    std::vector<Member> members;
    Member database{"holdfast.db", TRY(system_.files.open(copy, os::Open::read)), 0};
    database.size = TRY(database.file->size());
    members.push_back(std::move(database));
    const auto all = [&]() -> Status {
      for (const std::string_view folder : kFolders) TRY(open_folder(std::string(folder), members));
      Member recovery{
          "recovery.sealed",
          TRY(system_.files.open(os::join(parts_.folder.data, "recovery.sealed"), os::Open::read)),
          0};
      recovery.size = TRY(recovery.file->size());
      members.push_back(std::move(recovery));
      return {};
    };
    const Status opened = all();
    if (opened) return members;
    // A merge or a retention removed a file between listing and opening: look again.
    if (opened.error().code != Code::not_found || attempt == kListTries)
      return std::unexpected(opened.error());
  }
}

Result<http::Response> Backup::archive(const core::Caller& caller) {
  const bool mine = busy_.with([](bool& busy) { return !std::exchange(busy, true); });
  if (!mine) return fail(Code::conflict, "another backup is being taken: wait for its end");
  const BackupId id = system_.entropy.make<BackupId>(system_.clock.wall());
  const std::string copy = os::join(parts_.folder.data, kCopy);
  const auto prepare = [&]() -> Result<std::shared_ptr<Stream>> {
    TRY(parts_.store->change(caller, "create_backup", [&](core::Change& change) {
      return change.audit(id.text(), "", "{}");
    }));
    TRY(parts_.journal->roll());
    TRY(parts_.devices->flush());
    (void)system_.files.remove(copy);
    TRY(copy_database(copy));
    return std::make_shared<Stream>(*this, caller, id, TRY(open_members(copy)), copy);
  };
  auto stream = prepare();
  if (!stream) {
    (void)system_.files.remove(copy);
    busy_.with([](bool& busy) { busy = false; });
    return std::unexpected(stream.error());
  }
  http::Response response = http::content(200, "application/octet-stream", "");
  response.headers.set(kIdHeader, id.text());
  response.source = [held = *stream](std::size_t most) { return held->read(most); };
  return response;
}

Result<http::Response> Backup::ring(const core::Caller& caller, std::string_view backup_id) {
  const auto id = BackupId::parse(backup_id);
  if (!id)
    return std::unexpected(
        Error{Code::invalid_argument, "give the id of the archive", {}, {}, "/backup_id"});
  const Bytes ring = TRY(parts_.folder.ring->export_file());
  const std::string digest = to_hex(digest_of(crypto::sha256(ring)));
  TRY(parts_.store->change(caller, "create_ring_backup", [&](core::Change& change) -> Status {
    TRY(change.audit(id->text(), "", wire::json_text(wire::JsonObject{{"ring_sha256", digest}})));
    return change.notice("ring.exported",
                         wire::json_text(wire::JsonObject{{"backup_id", id->text()}}));
  }));
  http::Response response = http::content(200, "application/octet-stream", text_of(ring));
  response.headers.set(kIdHeader, id->text());
  return response;
}

Status Backup::add_routes(core::Operations& operations) {
  TRY(operations.add("create_backup",
                     [this](const core::Call& call) { return archive(call.caller); }));
  return operations.add("create_ring_backup",
                        [this](const core::Call& call) -> Result<http::Response> {
                          const auto& body = *TRY(wire::as_object(call.body));
                          TRY(wire::only_members(body, {"backup_id"}));
                          return ring(call.caller, TRY(wire::get_string(body, "backup_id")));
                        });
}

}  // namespace holdfast::app
