#include "libs/os/sim/inode.hpp"
#include "libs/os/sim/life.hpp"

namespace holdfast::os::sim {
namespace {

std::unexpected<Error> dead() {
  return fail(Code::io_error, "the machine is down");
}

class SimFile final : public File {
 public:
  SimFile(const Life& life, Disk& disk, std::shared_ptr<Inode> inode, bool writes)
      : life_(life), disk_(disk), inode_(std::move(inode)), writes_(writes) {}

  Result<Bytes> read_at(std::uint64_t offset, std::size_t size) const override {
    if (!life_.alive) return dead();
    return disk_.read(*inode_, offset, size);
  }
  Status write_at(std::uint64_t offset, View bytes) override {
    if (!life_.alive) return dead();
    if (!writes_) return read_only();
    if (bytes.empty()) return {};
    return disk_.write(*inode_, offset, bytes);
  }
  Status sync() override {
    if (!life_.alive) return dead();
    return disk_.sync(*inode_);
  }
  Status truncate(std::uint64_t size) override {
    if (!life_.alive) return dead();
    if (!writes_) return read_only();
    return disk_.truncate(*inode_, size);
  }
  Result<std::uint64_t> size() const override {
    if (!life_.alive) return dead();
    return inode_->seen.size();
  }
  int descriptor() const override { return -1; }

 private:
  static std::unexpected<Error> read_only() {
    return fail(Code::io_error, "the file was opened for reading");
  }

  const Life& life_;
  Disk& disk_;
  const std::shared_ptr<Inode> inode_;
  const bool writes_;
};

}  // namespace

Result<std::unique_ptr<File>> SimFiles::open(const std::string& path, Open mode) {
  if (!life_.alive) return dead();
  auto inode = TRY(disk_.open(path, mode));
  return std::make_unique<SimFile>(life_, disk_, std::move(inode), mode != Open::read);
}

Status SimFiles::rename(const std::string& from, const std::string& to) {
  if (!life_.alive) return dead();
  return disk_.rename(from, to);
}

Status SimFiles::remove(const std::string& path) {
  if (!life_.alive) return dead();
  return disk_.remove(path);
}

Result<std::vector<Entry>> SimFiles::list(const std::string& folder) {
  if (!life_.alive) return dead();
  return disk_.list(folder);
}

Status SimFiles::make_folder(const std::string& path) {
  if (!life_.alive) return dead();
  return disk_.make_folder(path);
}

Status SimFiles::sync_dir(const std::string& folder) {
  if (!life_.alive) return dead();
  return disk_.sync_dir(folder);
}

Result<Entry> SimFiles::stat(const std::string& path) {
  if (!life_.alive) return dead();
  return disk_.stat(path);
}

Result<Space> SimFiles::space(const std::string& path) {
  if (!life_.alive) return dead();
  return disk_.space(path);
}

}  // namespace holdfast::os::sim
