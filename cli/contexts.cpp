#include "cli/contexts.hpp"

#include "libs/wire/json.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t kFileMax = 1024 * 1024;  // bytes

Result<Context> read_context(const wire::Json& json, const std::string& at) {
  const auto& object = *TRY(wire::as_object(json, at));
  Context context;
  context.server = TRY(wire::get_string(object, "server", at));
  context.ca_pem = TRY(wire::find_string(object, "ca_pem", at)).value_or("");
  context.fingerprint = TRY(wire::find_string(object, "fingerprint", at)).value_or("");
  context.token = TRY(wire::find_string(object, "token", at)).value_or("");
  context.cookie = TRY(wire::find_string(object, "cookie", at)).value_or("");
  return context;
}

Result<Contexts> read_contexts(View bytes) {
  const wire::Json json = TRY(wire::parse_json(bytes));
  const auto& object = *TRY(wire::as_object(json));
  Contexts out;
  out.current = TRY(wire::get_string(object, "current"));
  for (const auto& entry : *TRY(wire::get_object(object, "contexts"))) {
    const std::string at = wire::pointer_to("/contexts", entry.key());
    out.all[entry.key()] = TRY(read_context(entry.value(), at));
  }
  return out;
}

}  // namespace

Result<Contexts> load_contexts(os::Files& files, const std::string& path) {
  auto bytes = os::read_file(files, path, kFileMax);
  if (!bytes && bytes.error().code == Code::not_found) return Contexts{};
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  auto contexts = read_contexts(*bytes);
  if (contexts) return contexts;
  return fail(Code::corrupt, "The file " + path + " cannot be read (" + contexts.error().text() +
                                 "): correct it, or remove it and sign in again.");
}

Status save_contexts(os::Files& files, const std::string& path, const Contexts& contexts) {
  wire::JsonObject all;
  for (const auto& [name, context] : contexts.all) {
    wire::JsonObject one{{"server", context.server}};
    const auto add = [&](std::string_view key, const std::string& value) {
      if (!value.empty()) one[key] = value;
    };
    add("ca_pem", context.ca_pem);
    add("fingerprint", context.fingerprint);
    add("token", context.token);
    add("cookie", context.cookie);
    all[name] = std::move(one);
  }
  TRY(files.make_folder(os::folder_of(path)));
  const std::string text = wire::json_pretty(
      wire::JsonObject{{"current", contexts.current}, {"contexts", std::move(all)}});
  return os::replace_file(files, path, view_of(text));
}

}  // namespace holdfast::cli
