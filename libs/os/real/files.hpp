// This machine's disk. Thread-safe as libs/os/files.hpp says.
#pragma once

#include "libs/os/files.hpp"

namespace holdfast::os::real {

class RealFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<std::vector<Entry>> list(const std::string& folder) override;
  Status make_folder(const std::string& path) override;
  Status sync_dir(const std::string& folder) override;
  Result<Entry> stat(const std::string& path) override;
  Result<Space> space(const std::string& path) override;
};

}  // namespace holdfast::os::real
