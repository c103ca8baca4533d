"""tools/tidy finds what it must, and leaves alone what is fine."""
import importlib.machinery
import importlib.util
import os
import textwrap

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
LOADER = importlib.machinery.SourceFileLoader("tidy", os.path.join(HERE, "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", LOADER))
LOADER.exec_module(tidy)


def found(path, text, exists=lambda target: True):
    findings = tidy.Findings()
    tidy.check_file(path, textwrap.dedent(text), findings, exists)
    return [row[2] for row in findings.rows]


def body(lines):
    return "{\n" + "  step();\n" * (lines - 2) + "}\n"


@pytest.mark.parametrize("head", [
    "int main() ",
    "namespace a {\nvoid f(int x) noexcept ",
    "class A {\n  auto f() const -> std::vector<int> ",
    "struct A {\n  void f() override ",
    "template <class T> requires std::integral<T>\nT f(T x) ",
    "A::A(int x) : x_{x}, y_{} ",
    "A::A(int x) : x_(x), y_(1) ",
    "TEST(A, b) ",
    "std::string f(std::string_view s = \"{\") ",
    "struct A final { int x = 1; };\nenum class B { c };\nvoid g(const struct stat& s) ",
])
def test_function_length_is_counted(head):
    closing = "}" if "{\n" in head.split("(")[0] else ""
    assert [size for _, size in tidy.functions(head + body(70) + closing)][-1] == 70
    assert any("function of 71 lines" in row
               for row in found("cli/a.cpp", head + body(71) + closing))


def test_tables_and_classes_are_no_functions():
    table = "constexpr std::array kRows{\n" + "  Row{1, f(2)},\n" * 90 + "};\n"
    classes = "class A {\n" + "  int a(int x);\n" * 90 + "};\n"
    assert tidy.functions(table + classes) == []


def test_braces_in_text_do_not_count():
    text = 'void f() {\n  g("}}}", \'{\', R"({{)"); // {\n  /* { */\n  int n = 1\'000\'000;\n}\n'
    assert tidy.functions(text) == [(1, 5)]


def test_file_length():
    assert found("cli/a.cpp", "int a;\n" * 800) == []
    assert "801 lines" in found("cli/a.cpp", "int a;\n" * 801)[0]


@pytest.mark.parametrize("path, target", [
    ("libs/base/a.cpp", "libs/os/files.hpp"),
    ("libs/os/a.cpp", "libs/crypto/a.hpp"),
    ("libs/wire/a.cpp", "libs/os/files.hpp"),
    ("libs/http/a.cpp", "libs/keys/a.hpp"),
    ("libs/unheard/a.cpp", "libs/base/id.hpp"),
    ("libs/base/a_test.cpp", "server/core/a.hpp"),
    ("server/store/a.cpp", "server/core/audit.hpp"),
    ("server/core/a.cpp", "server/devices/service.hpp"),
    ("server/devices/a.cpp", "server/identity/tables.hpp"),
    ("server/devices/a.cpp", "server/hub/session.hpp"),
    ("server/hub/a.cpp", "server/api/routes.hpp"),
    ("agent/a.cpp", "server/core/audit.hpp"),
    ("cli/a.cpp", "agent/a.hpp"),
    ("server/core/a.cpp", "cli/a.hpp"),
    ("sim/a.cpp", "cli/a.hpp"),
])
def test_wrong_arrows(path, target):
    rows = found(path, f'#include "{target}"\n')
    assert len(rows) == 1 and rows[0].startswith(f"{path}:1: includes {target}: ")
    assert ". Fix: " in rows[0]


@pytest.mark.parametrize("path, target", [
    ("libs/keys/a.cpp", "libs/crypto/a.hpp"),
    ("libs/os/real/a.cpp", "libs/base/id.hpp"),
    ("libs/wire/a_test.cpp", "libs/os/sim/world.hpp"),
    ("server/store/a.cpp", "libs/crypto/a.hpp"),
    ("server/devices/a.cpp", "server/identity/service.hpp"),
    ("server/devices/a.cpp", "server/store/sql.hpp"),
    ("server/api/a.cpp", "server/devices/routes.hpp"),
    ("server/main.cpp", "server/hub/listener.hpp"),
    ("server/core/a.cpp", "generated/core/notices.hpp"),
    ("sim/a.cpp", "server/hub/listener.hpp"),
    ("sim/a.cpp", "agent/agent.hpp"),
])
def test_right_arrows(path, target):
    assert found(path, f'#include "{target}"\n') == []


def test_includes_start_at_the_root_and_exist():
    assert 'write "libs/base/id.hpp"' in found("libs/base/a.cpp", '#include "id.hpp"\n')[0]
    assert "does not exist" in found("libs/base/a.cpp", '#include "libs/base/b.hpp"\n',
                                     lambda target: False)[0]


def test_heavy_headers():
    text = "#include <boost/asio/ip/tcp.hpp>\n"
    assert "Asio and Beast" in found("server/hub/a.cpp", text)[0]
    assert found("libs/os/real/a.cpp", text) == found("libs/http/a.cpp", text) == []
    assert found("server/hub/a.cpp", "#include <boost/json.hpp>\n") == []


@pytest.mark.parametrize("path, line", [
    ("libs/base/a.cpp", "std::this_thread::sleep_for(1s);"),
    ("server/core/a.cpp", "std::thread t(f);"),
    ("server/core/a.cpp", 'system("ls");'),
    ("server/core/a.cpp", 'return std::system(x);'),
    ("cli/a.cpp", "strcpy(a, b);"),
    ("cli/a.cpp", "std::sprintf(a, b);"),
    ("agent/a.cpp", "int n = rand();"),
    ("server/hub/a.cpp", 'std::cout << "x";'),
    ("libs/base/a.cpp", 'std::printf("x");'),
    ("libs/base/a.cpp", "// FIX" + "ME later"),
    ("libs/base/a.cpp", "// TODO" + "(now): this"),
])
def test_forbidden(path, line):
    rows = found(path, f"\n{line}\n")
    assert len(rows) == 1 and rows[0].startswith(f"{path}:2: ")


@pytest.mark.parametrize("path, line", [
    ("libs/os/real/a.cpp", "std::this_thread::sleep_for(1s); std::jthread t(f);"),
    ("libs/base/a_test.cpp", "std::thread t(f);"),
    ("cli/a.cpp", 'std::cout << "x"; std::printf("x");'),
    ("server/main.cpp", 'std::puts("ready");'),
    ("libs/base/a.cpp", "std::snprintf(a, n, f); fmt::sprintf(f); // system(x)"),
    ("libs/base/a.cpp", 'auto a = "system(x) FIX"; operand(x); os.system(x); System system();'),
    ("libs/base/a.cpp", "auto s = std::system_category(); std::system_error(code);"),
    ("libs/base/a.cpp", "static Actor system(std::string x); Actor::system(x);"),
    ("libs/base/a.cpp", "widget.puts(x); std::fprintf(stderr, x);"),
])
def test_allowed(path, line):
    assert found(path, line + "\n") == []


def test_headers():
    assert len(found("libs/base/a.hpp", "int a;\n")) == 2
    assert found("libs/base/a.hpp", "// What it is.\n#pragma once\n") == []


def test_readmes():
    findings = tidy.Findings()
    tidy.check_readmes({"libs/base/a.cpp", "server/core/b.cpp", "server/core/README.md",
                        "cli/main.cpp", "server/main.cpp"}, findings)
    assert sorted(row[0] for row in findings.rows) == ["cli/README.md", "libs/base/README.md"]


def test_statistics_count_only_when_there_are_enough_files():
    few, many = tidy.Findings(), tidy.Findings()
    tidy.check_statistics([500] * 49, few, lambda text: None)
    tidy.check_statistics([500] * 50, many, lambda text: None)
    assert (len(few.rows), len(many.rows)) == (0, 2)


def test_the_tree_is_read(tmp_path):
    (tmp_path / "libs/base").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "libs/base/a.cpp").write_text("int a = rand();\n")
    (tmp_path / "build/b.cpp").write_text("int a = rand();\n")
    rows = [row[2] for row in tidy.check_tree(str(tmp_path), say=lambda text: None).rows]
    assert len(rows) == 2 and any("libs/base/a.cpp:1: calls rand()" in row for row in rows)
