// Backup: the whole server as one archive, taken while it runs, and its key ring apart (decision
// 8).
//
// The archive is a tar: a copy of the database (an SQLite file, whatever the engine: PostgreSQL's
// rows are carried into one), and every sealed file of readings, events, audit and the certificate
// authority. The journal is sealed first and no journal segment goes in, nor the sealing key, the
// ring, admin-token or setup-link. Its last member, COMPLETE, is JSON:
//   {"backup_id","created_at","version","members":N,"bytes":N,"sha256":"<of all that stands before
//   it>"}
// An archive without it is not whole. Whoever has archive and ring still needs the sealing key or
// the recovery key. Threads: any worker; one backup at a time.
#pragma once

#include "server/app/parts.hpp"

namespace holdfast::app {

class Backup {
 public:
  Backup(const os::System& system, Parts& parts, std::string version, const Log& log)
      : system_(system), parts_(parts), version_(std::move(version)), log_(log) {}

  // Answers the archive as it is read; conflict while another one is taken.
  Result<http::Response> archive(const core::Caller& caller);
  Result<http::Response> ring(const core::Caller& caller, std::string_view backup_id);

  Status add_routes(core::Operations& operations);

 private:
  struct Member;
  struct Stream;
  Status copy_database(const std::string& path);
  Result<std::vector<Member>> open_members(const std::string& copy);
  Status open_folder(const std::string& folder, std::vector<Member>& out);

  const os::System system_;
  Parts& parts_;
  const std::string version_;
  const Log& log_;
  Guarded<bool> busy_{false};
};

}  // namespace holdfast::app
