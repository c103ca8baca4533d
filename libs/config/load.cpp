#include <algorithm>
#include <set>

#include "libs/config/config.hpp"
#include "libs/config/reading.hpp"

namespace holdfast::config {

namespace {

const Setting* find_setting(Schema schema, std::string_view key) {
  const auto at = std::ranges::find(schema, key, &Setting::key);
  return at == schema.end() ? nullptr : &*at;
}

const Setting* find_flag(Schema schema, std::string_view flag) {
  const auto at = std::ranges::find_if(
      schema, [&](const Setting& setting) { return flag_name(setting.key) == flag; });
  return at == schema.end() ? nullptr : &*at;
}

std::string unknown_key(Schema schema, std::string_view key, bool as_flag) {
  std::string_view plain = key;
  std::string dotted;
  if (as_flag) {
    plain.remove_prefix(std::min<std::size_t>(2, plain.size()));
    dotted = plain;
    std::ranges::replace(dotted, '-', '.');
    plain = dotted;
  }
  std::string message = as_flag ? "there is no such flag" : "there is no such key";
  if (const auto near = nearest_key(schema, plain)) {
    message += ": did you mean " + (as_flag ? flag_name(*near) : *near) + "?";
  }
  return message;
}

}  // namespace

class Loader {
 public:
  Loader(Schema schema, const Inputs& inputs) : schema_(schema), inputs_(inputs) {
    loaded_.config.schema_ = schema;
  }

  void run() {
    for (const Setting& setting : schema_)
      put(setting, setting.default_value, Source::default_value, 0, "");
    read_file();
    read_environment();
    read_arguments();
  }
  std::vector<Finding> findings;
  Loaded& loaded() { return loaded_; }

 private:
  void put(const Setting& setting, std::string_view value, Source source, int line,
           std::string_view where) {
    // An empty default means "not set", whatever the type.
    const bool unset = value.empty() && source == Source::default_value;
    auto normal = unset ? Result<std::string>(std::string()) : normalise(setting, value);
    if (!normal) {
      findings.push_back(
          {line, std::string(setting.key), std::string(where) + normal.error().message});
      return;
    }
    loaded_.config.entries_[std::string(setting.key)] = {std::move(*normal), source};
  }

  void read_file() {
    std::set<std::string> sections;
    for (const FileValue& value : read_toml(inputs_.file_text, findings)) {
      const Setting* setting = find_setting(schema_, value.key);
      if (setting == nullptr) {
        findings.push_back({value.line, value.key, unknown_key(schema_, value.key, false)});
      } else if (value.unusable || value.is_array != (setting->type == Type::list)) {
        findings.push_back({value.line, value.key,
                            setting->type == Type::list ? "must be an array of texts without commas"
                                                        : "must be a single value"});
      } else {
        put(*setting, value.value, Source::file, value.line, "");
      }
    }
  }

  void read_environment() {
    if (!inputs_.environment) return;
    for (const Setting& setting : schema_) {
      const std::string name = environment_name(inputs_.env_prefix, setting.key);
      if (const auto value = inputs_.environment(name)) {
        put(setting, *value, Source::environment, 0, "(" + name + ") ");
      }
    }
  }

  void read_arguments() {
    const auto& arguments = inputs_.arguments;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      if (!argument.starts_with("--") || argument == "--") {
        loaded_.rest.push_back(argument);
        continue;
      }
      const std::size_t equals = argument.find('=');
      const std::string flag = argument.substr(0, equals);
      if (const auto other = inputs_.other_flags.find(flag); other != inputs_.other_flags.end()) {
        loaded_.rest.push_back(argument);
        const int follow = equals == std::string::npos ? other->second : 0;
        for (int n = 0; n < follow && i + 1 < arguments.size(); ++n)
          loaded_.rest.push_back(arguments[++i]);
        continue;
      }
      const Setting* setting = find_flag(schema_, flag);
      if (setting == nullptr) {
        findings.push_back({0, flag, unknown_key(schema_, flag, true)});
      } else if (equals != std::string::npos) {
        put(*setting, argument.substr(equals + 1), Source::flag, 0, "");
      } else if (setting->type == Type::boolean) {
        put(*setting, "true", Source::flag, 0, "");
      } else if (i + 1 < arguments.size()) {
        put(*setting, arguments[++i], Source::flag, 0, "");
      } else {
        findings.push_back({0, flag, "wants a value"});
      }
    }
  }

  Schema schema_;
  const Inputs& inputs_;
  Loaded loaded_;
};

std::vector<Finding> check(Schema schema, const Inputs& inputs) {
  Loader loader(schema, inputs);
  loader.run();
  return std::move(loader.findings);
}

Result<Loaded> load(Schema schema, const Inputs& inputs) {
  Loader loader(schema, inputs);
  loader.run();
  if (loader.findings.empty()) return std::move(loader.loaded());
  const Finding& first = loader.findings.front();
  std::string message;
  if (first.line > 0) message = inputs.file_name + ":" + std::to_string(first.line) + ": ";
  if (!first.key.empty()) message += first.key + ": ";
  return fail(Code::config_invalid, message + first.message);
}

}  // namespace holdfast::config
