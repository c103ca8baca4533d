// The audit as a transparency log: the Merkle tree over the rows of audit.hpp, its tiles below
// <data>/audit, and checkpoints, signed with a key of its own (Ed25519, sealed) and copied outside
// of the data folder. All of it is made from the rows and can be made again.
//
// A checkpoint comes with every 256 entries (wake()) and each minute (advance() as a job), if there
// is something new. Order: tiles on disk, then the checkpoint in SQL with its notice, then the
// files. The copies: <checkpoint folder>/latest and one file a day, the day's last. Threads:
// start() first; then any. advance() runs one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/tlog/audit_folder.hpp"
#include "libs/tlog/note.hpp"
#include "server/core/audit.hpp"
#include "server/core/change.hpp"

namespace holdfast::core {

inline constexpr std::uint64_t kCheckpointEntries = 256;
inline constexpr Duration kCheckpointEvery = minutes(1);
inline constexpr std::size_t kNotesMax = 1'000;  // of one verification

struct AuditLogSettings {
  std::string folder;             // <data>/audit
  std::string checkpoint_folder;  // outside of the data folder; empty: no copies
};

struct SignedCheckpoint {
  tlog::Checkpoint checkpoint;
  std::string note;         // as it is kept and copied
  std::string signed_text;  // the very bytes that are signed
  Bytes signature;
  std::string public_key_pem;
};

struct AuditProof {
  audit::Entry entry;
  std::string entry_bytes;
  tlog::Hash leaf_hash{};
  std::uint64_t leaf_index = 0;
  std::vector<tlog::Hash> inclusion_path;  // leaf side first
  SignedCheckpoint checkpoint;
};

struct AuditVerify {
  std::optional<std::uint64_t> from_seq, to_seq;
  std::vector<std::string> checkpoints;  // notes kept elsewhere
};

class AuditLog {
 public:
  static Result<std::unique_ptr<AuditLog>> make(Store& store, const os::System& system,
                                                os::Workers& workers, const Log& log,
                                                Metrics& metrics, AuditLogSettings settings);
  virtual ~AuditLog() = default;

  // Makes the key on first start; compares the tree with the newest checkpoint and builds it anew
  // from the rows if it does not fit. Rows that fit no checkpoint are an error in the log and the
  // gauge holdfast_audit_broken; the server goes on, the evidence stays.
  virtual Status start() = 0;
  // A commit wrote an entry. Cheap.
  virtual void wake() = 0;
  // Takes new entries into the tree and signs a checkpoint; nothing new: does nothing.
  virtual Status advance() = 0;

  // All three want audit.read.
  virtual Result<SignedCheckpoint> checkpoint(const Caller& caller) = 0;
  virtual Result<AuditProof> prove(const Caller& caller,
                                   std::uint64_t seq) = 0;  // not_found: no such entry
  // Reads every row in the range: seconds per million.
  virtual Result<tlog::Verdict> verify(const Caller& caller, const AuditVerify& query) = 0;
};

}  // namespace holdfast::core
