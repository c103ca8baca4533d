// Checks an audit folder offline, without the server: the hash chain of its entries, the tree that
// they make, and checkpoints that were kept elsewhere. The same verdict as the server's own.
// Pure but for the files it reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/crypto/key.hpp"
#include "libs/os/files.hpp"
#include "libs/tlog/note.hpp"

namespace holdfast::tlog {

struct Verdict {
  bool ok = true;
  std::uint64_t entries_checked = 0;
  std::uint64_t checkpoints_checked = 0;
  std::optional<std::uint64_t> first_bad_seq;
  std::string finding;  // edited, removed, reordered, cut_tail, bad_signature; empty if ok
  std::string detail;   // one sentence

  static Verdict bad(std::string finding, std::optional<std::uint64_t> seq, std::string detail);
};

// Compares a growing tree with checkpoints: feed every leaf in order, then finish. Notes may come
// in any order; several of one size are each compared.
class CheckpointComparer {
 public:
  // A note that does not parse or fits none of the keys is the finding bad_signature.
  CheckpointComparer(const std::vector<std::string>& notes,
                     const std::vector<crypto::PublicKey>& keys);
  void leaf(const Hash& leaf);
  // Adds what was found to the verdict, if that is still ok.
  void finish(Verdict& verdict);

 private:
  void compare();
  Edge edge_;
  std::vector<Checkpoint> waiting_;  // by size, largest first
  std::optional<Verdict> found_;
  std::uint64_t compared_ = 0;
  std::uint64_t last_good_ = 0;
};

// `keys`: the server's audit keys, as it shows them; empty: taken from nowhere, so notes are
// compared but their signatures are not (the detail says so). The folder's own checkpoint is one of
// the notes.
Result<Verdict> verify_folder(os::Files& files, const std::string& folder,
                              const std::vector<std::string>& notes,
                              const std::vector<crypto::PublicKey>& keys);

}  // namespace holdfast::tlog
