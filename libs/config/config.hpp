// Configuration from one schema: a table of settings yields the TOML parser, defaults, environment
// names, command-line flags, `config check` and the reference page. Later sources win: default,
// file, environment, flag. An unknown key is an error that suggests the nearest one.
//
// A key is words with dots ("api.listen"). The TOML file nests by dots ([api] listen = "..."), the
// environment says PREFIX_API_LISTEN, the command line --api-listen VALUE (or =VALUE; booleans also
// bare). Values are kept as text in one spelling per type (see normalise()).
// Errors: config_invalid with file, line and key (load), invalid_argument (one value). Pure;
// values; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast::config {

enum class Type {
  text,
  path,     // relative ones are taken from the working folder
  integer,  // low..high
  real,
  boolean,   // true, false
  duration,  // "90s", "15m", "1h30m"; low..high in seconds
  size,      // "512KiB", "64MiB", "10GB", plain bytes; low..high in bytes
  address,   // "host:port", ":port", "[::1]:port"
  choice,    // one of `choices`
  list,      // of texts: TOML array, elsewhere separated by commas
};

struct Setting {
  std::string_view key;
  Type type = Type::text;
  std::string_view default_value;  // as text; "" for empty
  std::string_view help;           // one or two sentences, ending with a full stop
  std::int64_t low = INT64_MIN;
  std::int64_t high = INT64_MAX;
  std::string_view choices = {};  // "disk,memory"
  bool secret = false;            // never shown
};
using Schema = std::span<const Setting>;

enum class Source { default_value, file, environment, flag };
std::string_view name_of(Source source);  // "default", "file", "environment", "flag"

struct Entry {
  std::string value;
  Source source = Source::default_value;
};

// A complete, checked configuration. Asking for a key that the schema lacks, or as another type, is
// a bug (assertion).
class Config {
 public:
  const std::string& text(std::string_view key) const;  // text, path, address, choice
  std::int64_t integer(std::string_view key) const;     // integer, size (bytes)
  double real(std::string_view key) const;
  bool boolean(std::string_view key) const;
  Duration duration(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  // Any key, in its spelling: for lists of all. The caller hides those whose Setting is secret.
  const std::string& shown(std::string_view key) const;
  Source source(std::string_view key) const;
  Schema schema() const { return schema_; }
  // Changes one value as a flag would; for tests and programs that fix a value.
  Status set(std::string_view key, std::string_view value);

 private:
  friend class Loader;
  const Setting& setting(std::string_view key) const;
  const Entry& entry(std::string_view key) const;
  Schema schema_;
  std::map<std::string, Entry, std::less<>> entries_;
};

struct Inputs {
  std::string file_name;  // for messages; empty: no file
  std::string file_text;  // TOML
  std::string env_prefix = "HOLDFAST_";
  // Looks one name up; empty function: no environment.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::vector<std::string> arguments;  // without the program's name
  // Flags that are not settings ("--config", "--help"): left to the caller, with the number of
  // values each takes. They and what is no flag come back in `rest`.
  std::map<std::string, int> other_flags;
};

struct Finding {
  int line = 0;  // in the file; 0: not from it
  std::string key;
  std::string message;
};

struct Loaded {
  Config config;
  std::vector<std::string> rest;
};

// Everything that is wrong, for `config check`; empty: fine.
std::vector<Finding> check(Schema schema, const Inputs& inputs);
// The first finding is the error.
Result<Loaded> load(Schema schema, const Inputs& inputs);

// One value in its spelling: "5m" and "300s" become "5m"; range and choices are checked.
Result<std::string> normalise(const Setting& setting, std::string_view value);
std::string environment_name(std::string_view prefix, std::string_view key);
std::string flag_name(std::string_view key);  // "--api-listen"
// The schema's nearest key, if it is near enough to suggest.
std::optional<std::string> nearest_key(Schema schema, std::string_view unknown);
Result<std::int64_t> parse_size(std::string_view text);

// The reference page (Markdown) of a schema.
std::string reference_page(Schema schema, std::string_view title, std::string_view env_prefix,
                           std::string_view introduction);

}  // namespace holdfast::config
