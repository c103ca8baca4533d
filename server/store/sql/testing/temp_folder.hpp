// For tests: a folder on the real disk that goes away with the object.
#pragma once

#include <cstdlib>
#include <string>

#include "libs/os/system.hpp"

namespace holdfast::sql {

// A folder under /tmp, removed with everything in it.
class TempFolder {
 public:
  explicit TempFolder(os::Files& files) : files_(files) {
    char name[] = "/tmp/holdfast-test-XXXXXX";
    path_ = ::mkdtemp(name) == nullptr ? "" : name;
  }
  ~TempFolder() {
    if (!path_.empty()) (void)os::remove_tree(files_, path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return os::join(path_, name); }

 private:
  os::Files& files_;
  std::string path_;
};

}  // namespace holdfast::sql
