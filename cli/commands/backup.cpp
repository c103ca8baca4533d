// holdfast backup, holdfast restore.
//
// A backup is a folder with archive.tar, and beside it DIR.ring with the keys: keep them apart. A
// restore checks the archive before anything is put in place, and puts the data folder there last.
#include "cli/archive.hpp"
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

constexpr std::string_view kArchive = "archive.tar";
constexpr Duration kSilenceMost = minutes(5);  // the server copies its database before it sends
constexpr std::size_t kReadSize = 1024 * 1024;
constexpr std::size_t kRingMax = 256 * 1024 * 1024;  // bytes

std::string without_end_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// A file that grows, piece by piece.
class Growing {
 public:
  explicit Growing(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  Status add(View bytes) {
    TRY(file_->write_at(at_, bytes));
    at_ += bytes.size();
    return {};
  }
  Status sync() { return file_->sync(); }

 private:
  std::unique_ptr<os::File> file_;
  std::uint64_t at_ = 0;
};

// Streams the archive into the file and checks it on the way.
Result<ArchiveInfo> fetch_archive(Run& run, const std::string& path) {
  Growing file(TRY(run.shell().system.files.open(path, os::Open::create_new)));
  ArchiveReader reader;
  http::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/backup";
  request.silence_limit = kSilenceMost;
  request.on_body = [&](View piece) -> Status {
    TRY(file.add(piece));
    return reader.feed(piece);
  };
  TRY(TRY(run.remote())->raw(std::move(request), http::kNoLimit));
  const ArchiveInfo info = TRY(reader.end());
  TRY(file.sync());
  return info;
}

Status fetch_ring(Run& run, const std::string& backup_id, const std::string& path) {
  const Reply ring =
      TRY(TRY(run.remote())
              ->send("POST", "/v1/backup/ring", wire::JsonObject{{"backup_id", backup_id}}));
  return os::replace_file(run.shell().system.files, path, view_of(ring.text));
}

Status make_backup(Run& run) {
  os::Files& files = run.shell().system.files;
  const std::string folder = without_end_slash(run.given().text("DIR"));
  if (os::exists(files, folder)) {
    return fail(Code::already_exists, folder + " is there already: a backup makes a new folder.");
  }
  TRY(files.make_folder(folder));
  const auto fetched = [&]() -> Result<ArchiveInfo> {
    ArchiveInfo info = TRY(fetch_archive(run, os::join(folder, kArchive)));
    TRY(fetch_ring(run, info.backup_id, folder + ".ring"));
    TRY(files.sync_dir(folder));
    return info;
  }();
  if (!fetched) {
    // Half a backup must not be taken for one.
    (void)os::remove_tree(files, folder);
    return std::unexpected(fetched.error());
  }
  if (run.json()) {
    run.print(wire::JsonObject{{"backup_id", fetched->backup_id},
                               {"folder", folder},
                               {"ring", folder + ".ring"},
                               {"members", fetched->members},
                               {"bytes", fetched->bytes}});
  } else {
    run.line(folder);
    run.say("Backup " + fetched->backup_id + ": " + std::to_string(fetched->members) + " files, " +
            std::to_string(fetched->bytes) + " bytes. The keys are in " + folder +
            ".ring: keep them elsewhere. The sealing key is in neither.");
  }
  return {};
}

// Reads the archive of a backup from front to back into `reader`.
Result<ArchiveInfo> read_archive(os::Files& files, const std::string& path, ArchiveReader& reader) {
  const auto file = TRY(with_context(files.open(path, os::Open::read), "opening the backup"));
  std::uint64_t at = 0;
  while (true) {
    const Bytes piece = TRY(file->read_at(at, kReadSize));
    if (piece.empty()) return reader.end();
    TRY(reader.feed(piece));
    at += piece.size();
  }
}

Status unpack(os::Files& files, const std::string& archive, const std::string& folder) {
  ArchiveReader reader;
  std::optional<Growing> file;
  reader.on_member = [&](const std::string& name, std::uint64_t) -> Status {
    const std::string path = os::join(folder, name);
    TRY(files.make_folder(os::folder_of(path)));
    file.emplace(TRY(files.open(path, os::Open::create_new)));
    return {};
  };
  reader.on_content = [&](View content) { return file->add(content); };
  reader.on_end = [&]() -> Status {
    TRY(file->sync());
    file.reset();
    return {};
  };
  TRY(read_archive(files, archive, reader));
  return files.sync_dir(folder);
}

// The sealing key, from a file or to be recovered by the server with the recovery key.
Status bring_key(Run& run, const std::string& data) {
  os::Files& files = run.shell().system.files;
  if (const auto file = run.given().maybe("seal-key")) {
    const Bytes key = TRY(with_context(os::read_file(files, *file, kInputMax), "--seal-key"));
    return os::replace_file(files, data + ".seal", key);
  }
  if (run.given().has("recovery-key")) {
    const std::string key = TRY(run.secret("Recovery key"));
    return os::replace_file(files, data + ".recovery", view_of(key + "\n"));
  }
  return {};
}

Status restore(Run& run) {
  os::Files& files = run.shell().system.files;
  const std::string folder = without_end_slash(run.given().text("DIR"));
  const std::string data = without_end_slash(run.given().text("data"));
  const auto there = files.list(data);
  if (there && !there->empty()) {
    return fail(Code::already_exists,
                data + " holds data already: move it away, or restore to another folder.");
  }
  const std::string archive = os::join(folder, kArchive);
  ArchiveReader check;
  const ArchiveInfo info = TRY(read_archive(files, archive, check));
  const Bytes ring = TRY(with_context(
      os::read_file(files, run.given().maybe("ring").value_or(folder + ".ring"), kRingMax),
      "reading the key ring"));
  const std::string half = data + ".restoring";
  TRY(os::remove_tree(files, half));
  TRY(files.make_folder(half));
  TRY(unpack(files, archive, half));
  TRY(os::replace_file(files, data + ".ring", ring));
  TRY(bring_key(run, data));
  if (there) TRY(files.remove(data));
  TRY(files.rename(half, data));
  TRY(files.sync_dir(os::folder_of(data)));
  run.say("Restored " + info.backup_id + " of " + short_time(info.created_at) + " to " + data +
          '.');
  if (!os::exists(files, data + ".seal") && !os::exists(files, data + ".recovery")) {
    run.say("Before the server starts it needs its sealing key: put it at " + data +
            ".seal, or restore again with --recovery-key.");
  }
  run.line(data);
  return {};
}

}  // namespace

void add_backup_commands(Commands& out) {
  out.push_back({"backup",
                 "A consistent, encrypted copy of the running server, in a new folder",
                 {positional("DIR", "Folder to make; the keys go to DIR.ring")},
                 make_backup});
  out.push_back(
      {"restore",
       "Make a data folder from a backup; the server must not run",
       {positional("DIR", "Folder of the backup"), required_value("--data", "Data folder to make"),
        value("--ring", "File with the key ring; DIR.ring unless given"),
        value("--seal-key", "File with the sealing key, copied beside the data folder"),
        flag("--recovery-key", "Ask for the recovery key")},
       restore});
}

}  // namespace holdfast::cli
