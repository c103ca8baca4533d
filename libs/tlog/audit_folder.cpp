#include "libs/tlog/audit_folder.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"
#include "libs/tlog/tiles.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::tlog {

namespace {

struct EntryLinks {
  std::uint64_t seq = 0;
  std::string prev_hash;
};

Result<EntryLinks> links_of(View entry) {
  const wire::Json json = TRY(wire::parse_json(entry));
  const auto* object = TRY(wire::as_object(json));
  EntryLinks links;
  links.seq = static_cast<std::uint64_t>(TRY(wire::get_int(*object, "seq", "", 0)));
  links.prev_hash = TRY(wire::get_string(*object, "prev_hash"));
  return links;
}

// What is wrong with the entry at `seq`, given the hash of its forerunner.
std::optional<Verdict> check_entry(View entry, std::uint64_t seq, const std::string& previous) {
  const auto links = links_of(entry);
  if (!links)
    return Verdict::bad("edited", seq, "entry " + std::to_string(seq) + " is not an entry");
  if (links->seq > seq)
    return Verdict::bad("removed", seq, "entry " + std::to_string(seq) + " is not there");
  if (links->seq < seq) {
    return Verdict::bad("reordered", seq,
                        "entry " + std::to_string(links->seq) + " lies at " + std::to_string(seq));
  }
  if (links->prev_hash != previous) {
    return Verdict::bad(
        "edited", seq == 0 ? 0 : seq - 1,
        "entry " + std::to_string(seq) + " names another forerunner than lies before it");
  }
  return std::nullopt;
}

}  // namespace

Verdict Verdict::bad(std::string finding, std::optional<std::uint64_t> seq, std::string detail) {
  Verdict verdict;
  verdict.ok = false;
  verdict.first_bad_seq = seq;
  verdict.finding = std::move(finding);
  verdict.detail = std::move(detail);
  return verdict;
}

CheckpointComparer::CheckpointComparer(const std::vector<std::string>& notes,
                                       const std::vector<crypto::PublicKey>& keys) {
  for (const std::string& text : notes) {
    const auto note = parse_note(text);
    const bool fits = note && (keys.empty() || std::ranges::any_of(keys, [&](const auto& key) {
                                 return note_fits(*note, key);
                               }));
    if (fits) {
      waiting_.push_back(note->checkpoint);
    } else if (!found_) {
      found_ =
          Verdict::bad("bad_signature", std::nullopt,
                       note ? "the checkpoint of size " + std::to_string(note->checkpoint.size) +
                                  " is not signed by a key of this server"
                            : note.error().message);
    }
  }
  std::ranges::sort(waiting_, std::greater{}, &Checkpoint::size);
  compare();
}

void CheckpointComparer::compare() {
  while (!waiting_.empty() && waiting_.back().size == edge_.size()) {
    const Checkpoint checkpoint = waiting_.back();
    waiting_.pop_back();
    ++compared_;
    if (checkpoint.root == edge_.root()) {
      last_good_ = checkpoint.size;
    } else if (!found_) {
      found_ = Verdict::bad("edited", last_good_,
                            "entries " + std::to_string(last_good_) + " to " +
                                std::to_string(checkpoint.size - 1) +
                                " are not those that the checkpoint was signed for");
    }
  }
}

void CheckpointComparer::leaf(const Hash& leaf) {
  edge_.append(leaf);
  compare();
}

void CheckpointComparer::finish(Verdict& verdict) {
  verdict.checkpoints_checked = compared_ + waiting_.size();
  if (!found_ && !waiting_.empty()) {
    found_ = Verdict::bad("cut_tail", edge_.size(),
                          "a checkpoint was signed for " + std::to_string(waiting_.front().size) +
                              " entries, and " + std::to_string(edge_.size()) + " are there");
  }
  if (!found_ || !verdict.ok) return;
  verdict.ok = false;
  verdict.finding = found_->finding;
  verdict.first_bad_seq = found_->first_bad_seq;
  verdict.detail = found_->detail;
}

Result<Verdict> verify_folder(os::Files& files, const std::string& folder,
                              const std::vector<std::string>& notes,
                              const std::vector<crypto::PublicKey>& keys) {
  const Tiles tiles(files, folder);
  const std::string own =
      TRY(with_context(tiles.read_checkpoint(), "reading the folder's checkpoint"));
  const auto newest = TRY(with_context(parse_note(own), "the folder's checkpoint"));
  std::vector<std::string> all = notes;
  all.push_back(own);
  CheckpointComparer comparer(all, keys);
  Verdict verdict;
  std::string previous(64, '0');
  std::uint64_t seq = 0;
  while (seq < newest.checkpoint.size && verdict.ok) {
    const auto entries = tiles.entries(seq / kTileWidth, newest.checkpoint.size);
    if (!entries) {
      verdict = Verdict::bad("removed", seq, entries.error().text());
      break;
    }
    for (const Bytes& entry : *entries) {
      if (const auto wrong = check_entry(entry, seq, previous)) {
        const std::uint64_t checked = verdict.entries_checked;
        verdict = *wrong;
        verdict.entries_checked = checked;
        break;
      }
      previous = to_hex(crypto::sha256(entry));
      comparer.leaf(leaf_hash(entry));
      ++seq;
      ++verdict.entries_checked;
    }
  }
  comparer.finish(verdict);
  if (verdict.ok && keys.empty()) verdict.detail = "signatures were not checked: no key was given";
  return verdict;
}

}  // namespace holdfast::tlog
