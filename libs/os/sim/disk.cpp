#include "libs/os/sim/disk.hpp"

#include <algorithm>
#include <utility>

#include "libs/os/sim/inode.hpp"
#include "libs/os/sim/scheduler.hpp"

namespace holdfast::os::sim {
namespace {

constexpr std::size_t kUnsyncedNamesMax = 4096;     // beyond it the oldest reach the disk
constexpr std::uint64_t kFileSizeMax = 1ULL << 32;  // bytes

std::unexpected<Error> missing(const std::string& path) {
  return fail(Code::not_found, path + ": no such file or folder");
}

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!out.empty()) out.pop_back();
    } else {
      out.emplace_back(part);
    }
  }
  return out;
}

bool is_front(const std::vector<std::string>& front, const std::vector<std::string>& whole) {
  return front.size() < whole.size() && std::equal(front.begin(), front.end(), whole.begin());
}

std::shared_ptr<Inode> make_inode(bool folder, std::string label) {
  auto inode = std::make_shared<Inode>();
  inode->folder = folder;
  inode->label = std::move(label);
  return inode;
}

}  // namespace

Disk::Disk(Scheduler& scheduler, std::string owner, std::uint64_t seed)
    : scheduler_(scheduler), owner_(std::move(owner)), random_(seed), root_(make_inode(true, "/")) {
  const auto data = make_inode(true, "/data");
  root_->names.emplace("data", data);
  root_->durable_names.emplace("data", data);
}

Disk::~Disk() = default;

// ---- faults

void Disk::fail_at(std::uint64_t operation, Code code) {
  fail_at_[operation] = code;
}
void Disk::crash_at(std::uint64_t operation) {
  crash_at_ = operation;
}
void Disk::fail_read_at(std::uint64_t read) {
  fail_read_at_ = read;
}
void Disk::plan_no_faults() {
  fail_at_.clear();
  crash_at_.reset();
  fail_read_at_.reset();
}

Status Disk::flip_bit(const std::string& path, std::uint64_t byte, unsigned bit) {
  const auto file = find(path);
  if (!file || file->folder || byte >= file->seen.size()) return missing(path);
  const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
  file->seen[byte] ^= mask;
  if (byte < file->durable.size()) file->durable[byte] ^= mask;
  for (Change& change : file->unsynced) {
    if (byte >= change.at && byte - change.at < change.bytes.size()) {
      change.bytes[byte - change.at] ^= mask;
    }
  }
  scheduler_.note(owner_, "flip", path, byte * 8 + bit);
  return {};
}

Result<Bytes> Disk::durable_content(const std::string& path) const {
  const Inode* at = root_.get();
  for (const std::string& part : parts_of(path)) {
    const auto found = at->durable_names.find(part);
    if (found == at->durable_names.end()) return missing(path);
    at = found->second.get();
  }
  if (at->folder) return missing(path);
  return at->durable;
}

// ---- operations

Result<Disk::Step> Disk::begin(std::string_view what, std::string_view path, std::uint64_t detail) {
  ++operations_;
  scheduler_.pass(slow_);
  scheduler_.note(owner_, what, path, detail);
  if (const auto planned = fail_at_.find(operations_); planned != fail_at_.end()) {
    scheduler_.note(owner_, "fails", path, operations_);
    return fail(planned->second, std::string(what) + " " + std::string(path) + ": planned failure");
  }
  return crash_at_ == operations_ ? Step::crash : Step::go;
}

Status Disk::end(Step step) {
  return step == Step::crash ? crash() : Status{};
}

Status Disk::crash() {
  if (crash_) {
    crash_();
  } else {
    lose_power();
  }
  return fail(Code::io_error, "the power went");
}

void Disk::lose_power() {
  settle_names();
  used_ = 0;
  settle_tree(*root_);
}

std::shared_ptr<Inode> Disk::find(std::string_view path) const {
  std::shared_ptr<Inode> at = root_;
  for (const std::string& part : parts_of(path)) {
    if (!at->folder) return nullptr;
    const auto found = at->names.find(part);
    if (found == at->names.end()) return nullptr;
    at = found->second;
  }
  return at;
}

// The place of a name: its folder must be there, the name itself need not.
Result<Disk::Slot> Disk::slot_of(const std::string& path) const {
  auto parts = parts_of(path);
  if (parts.empty()) return fail(Code::forbidden, path + ": this is the root folder");
  std::string name = std::move(parts.back());
  parts.pop_back();
  std::string parent = "/";
  for (const std::string& part : parts) parent += part + "/";
  auto folder = find(parent);
  if (!folder || !folder->folder) return missing(path);
  const auto found = folder->names.find(name);
  auto value = found == folder->names.end() ? nullptr : found->second;
  return Slot{std::move(folder), std::move(name), std::move(value)};
}

Result<std::shared_ptr<Inode>> Disk::add(Slot slot, std::string_view what, const std::string& path,
                                         bool folder) {
  const Step step = TRY(begin(what, path, 0));
  slot.value = make_inode(folder, path);
  auto inode = slot.value;
  change_names({std::move(slot)});
  TRY(end(step));
  return inode;
}

Result<std::shared_ptr<Inode>> Disk::open(const std::string& path, Open mode) {
  Slot slot = TRY(slot_of(path));
  if (slot.value) {
    if (mode == Open::create_new) return fail(Code::already_exists, path + ": is there already");
    if (slot.value->folder) return fail(Code::io_error, path + ": is a folder");
    return slot.value;
  }
  if (mode == Open::read || mode == Open::write) return missing(path);
  return add(std::move(slot), "create", path, false);
}

Status Disk::make_folder(const std::string& path) {
  const auto parts = parts_of(path);
  std::string so_far;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    so_far += "/" + parts[i];
    Slot slot = TRY(slot_of(so_far));
    if (!slot.value) {
      TRY(add(std::move(slot), "make folder", so_far, true));
    } else if (!slot.value->folder) {
      if (i + 1 < parts.size()) return missing(path);
      return fail(Code::already_exists, so_far + ": is a file");
    }
  }
  return {};
}

Status Disk::rename(const std::string& from, const std::string& to) {
  Slot source = TRY(slot_of(from));
  Slot target = TRY(slot_of(to));
  if (!source.value) return missing(from);
  if (source.value == target.value) return {};
  const auto from_parts = parts_of(from);
  const auto to_parts = parts_of(to);
  if (is_front(from_parts, to_parts)) {
    return fail(Code::io_error, from + ": cannot move into itself");
  }
  if (is_front(to_parts, from_parts)) {
    return fail(Code::already_exists, to + ": the folder is not empty");
  }
  if (target.value) {
    if (target.value->folder && !source.value->folder) {
      return fail(Code::io_error, to + ": is a folder");
    }
    if (!target.value->folder && source.value->folder) return missing(to);
    if (!target.value->names.empty()) {
      return fail(Code::already_exists, to + ": the folder is not empty");
    }
  }
  const Step step = TRY(begin("rename", from + " to " + to, 0));
  target.value = std::exchange(source.value, nullptr);
  target.value->label = to;
  change_names({std::move(source), std::move(target)});
  return end(step);
}

Status Disk::remove(const std::string& path) {
  Slot slot = TRY(slot_of(path));
  if (!slot.value) return missing(path);
  if (!slot.value->names.empty()) {
    return fail(Code::already_exists, path + ": the folder is not empty");
  }
  const Step step = TRY(begin("remove", path, 0));
  slot.value = nullptr;
  change_names({std::move(slot)});
  return end(step);
}

Status Disk::sync_dir(const std::string& folder) {
  const auto found = find(folder);
  if (!found || !found->folder) return missing(folder);
  const Step step = TRY(begin("sync folder", folder, 0));
  if (step == Step::go) sync_names(*found);
  return end(step);
}

Result<std::vector<Entry>> Disk::list(const std::string& folder) {
  const auto found = find(folder);
  if (!found || !found->folder) return missing(folder);
  std::vector<Entry> out;
  for (const auto& [name, inode] : found->names) {
    out.push_back({name, inode->folder, inode->seen.size()});
  }
  return out;
}

Result<Entry> Disk::stat(const std::string& path) {
  const auto found = find(path);
  if (!found) return missing(path);
  const auto parts = parts_of(path);
  return Entry{parts.empty() ? "" : parts.back(), found->folder, found->seen.size()};
}

Result<Space> Disk::space(const std::string& path) {
  if (!find(path)) return missing(path);
  return Space{capacity_ - std::min(capacity_, used_), capacity_};
}

Result<Bytes> Disk::read(const Inode& file, std::uint64_t offset, std::size_t size) {
  ++reads_;
  scheduler_.pass(slow_);
  if (fail_read_at_ == reads_) return fail(Code::io_error, file.label + ": planned failure");
  if (offset >= file.seen.size()) return Bytes{};
  const auto count = std::min(size, file.seen.size() - static_cast<std::size_t>(offset));
  const auto part = View(file.seen).subspan(static_cast<std::size_t>(offset), count);
  return Bytes(part.begin(), part.end());
}

Status Disk::write(Inode& file, std::uint64_t offset, View bytes) {
  if (offset > kFileSizeMax || bytes.size() > kFileSizeMax - offset) {
    return fail(Code::disk_full, file.label + ": the file would be too large");
  }
  const Step step = TRY(begin("write", file.label, (offset << 20) ^ crc32c(bytes)));
  const std::uint64_t size = file.seen.size();
  std::uint64_t growth = std::max(offset + bytes.size(), size) - size;
  const std::uint64_t room = file.linked ? capacity_ - std::min(capacity_, used_) : growth;
  const bool full = growth > room;
  if (full) {  // what fits is written, as by a kernel
    bytes = bytes.first(bytes.size() - std::min(bytes.size(), std::size_t{growth - room}));
    growth = bytes.empty() ? 0 : std::max(offset + bytes.size(), size) - size;
  }
  if (!bytes.empty()) file.change({offset, Bytes(bytes.begin(), bytes.end())});
  if (file.linked) used_ += growth;
  TRY(end(step));
  if (full) return fail(Code::disk_full, file.label + ": no space left on the device");
  return {};
}

Status Disk::truncate(Inode& file, std::uint64_t size) {
  if (size > kFileSizeMax) {
    return fail(Code::disk_full, file.label + ": the file would be too large");
  }
  const Step step = TRY(begin("truncate", file.label, size));
  if (file.linked) used_ += size - file.seen.size();
  file.change({size, {}});
  return end(step);
}

Status Disk::sync(Inode& file) {
  const auto step = begin("sync", file.label, 0);
  if (!step) {
    file.durable = file.settle(random_);
    file.unsynced.clear();
    file.unsynced_bytes = 0;
    return std::unexpected(step.error());
  }
  if (*step == Step::go) file.sync();
  return end(*step);
}

// ---- names

void Disk::drop_name(Inode& folder, const std::string& name) {
  const auto found = folder.names.find(name);
  if (found == folder.names.end()) return;
  if (std::exchange(found->second->linked, false)) used_ -= found->second->seen.size();
  folder.names.erase(found);
}

void Disk::change_names(NameChange change) {
  for (const Slot& slot : change) drop_name(*slot.folder, slot.name);
  for (const Slot& slot : change) {
    if (!slot.value) continue;
    slot.folder->names[slot.name] = slot.value;
    if (!std::exchange(slot.value->linked, true)) used_ += slot.value->seen.size();
  }
  unsynced_.push_back(std::move(change));
  if (unsynced_.size() <= kUnsyncedNamesMax) return;
  make_durable(unsynced_.front());
  unsynced_.erase(unsynced_.begin());
}

void Disk::make_durable(const NameChange& change) {
  for (const Slot& slot : change) {
    if (slot.value) {
      slot.folder->durable_names[slot.name] = slot.value;
    } else {
      slot.folder->durable_names.erase(slot.name);
    }
  }
}

// Makes the folder's changes durable, and with a rename into another folder what came before it
// there.
void Disk::sync_names(const Inode& folder) {
  std::vector<const Slot*> wanted;
  const auto touches = [&](const Slot& slot) {
    if (slot.folder.get() == &folder) return true;
    return std::ranges::any_of(wanted, [&](const Slot* other) {
      return other->folder == slot.folder && other->name == slot.name;
    });
  };
  std::vector<bool> chosen(unsynced_.size());
  for (std::size_t i = unsynced_.size(); i-- > 0;) {
    if (!std::ranges::any_of(unsynced_[i], touches)) continue;
    chosen[i] = true;
    for (const Slot& slot : unsynced_[i]) wanted.push_back(&slot);
  }
  std::vector<NameChange> left;
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    if (chosen[i]) {
      make_durable(unsynced_[i]);
    } else {
      left.push_back(unsynced_[i]);
    }
  }
  unsynced_ = std::move(left);
}

// A power cut: a prefix of the changes, or any set in which each follows those to the same name.
void Disk::settle_names() {
  const bool ordered = random_.chance(50);
  const std::uint64_t prefix = random_.below(unsynced_.size() + 1);
  std::vector<const Slot*> lost;
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    const NameChange& change = unsynced_[i];
    const bool follows_lost = std::ranges::any_of(change, [&](const Slot& slot) {
      return std::ranges::any_of(lost, [&](const Slot* other) {
        return other->folder == slot.folder && other->name == slot.name;
      });
    });
    const bool kept = ordered ? i < prefix : !follows_lost && random_.chance(50);
    if (kept) {
      make_durable(change);
    } else {
      for (const Slot& slot : change) lost.push_back(&slot);
    }
  }
  unsynced_.clear();
}

void Disk::settle_tree(Inode& inode) {
  inode.names = inode.durable_names;
  for (const auto& [name, child] : inode.names) settle_tree(*child);
  inode.linked = true;
  inode.durable = inode.settle(random_);
  inode.seen = inode.durable;
  inode.unsynced.clear();
  inode.unsynced_bytes = 0;
  used_ += inode.seen.size();
}

}  // namespace holdfast::os::sim
