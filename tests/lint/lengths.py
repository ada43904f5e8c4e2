"""Functions of at most 70 lines, files of at most 600 (tests, benchmarks, fuzz targets: 1,000)."""
import ast
import re

from source import Violation, is_cpp, is_test, line_of, without_comments_and_strings

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 600
MAX_TEST_FILE_LINES = 1000

_CODE_ENDINGS = (".h", ".cc", ".py", ".cmake", ".sh")
_CODE_NAMES = ("dev", ".ci/run")
_SCOPE_WORDS = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*\"\"")


def check(path, text):
    found = []
    if path.endswith(_CODE_ENDINGS) or path in _CODE_NAMES:
        found += _check_file(path, text)
    if is_cpp(path):
        functions = cpp_functions(text)
    elif path.endswith(".py"):
        functions = python_functions(text)
    else:
        functions = []
    for line, lines in functions:
        if lines > MAX_FUNCTION_LINES:
            found.append(Violation(path, line, "function-length",
                                   f"a function of {lines} lines (at most {MAX_FUNCTION_LINES})"))
    return found


def _check_file(path, text):
    limit = MAX_TEST_FILE_LINES if is_test(path) else MAX_FILE_LINES
    lines = text.count("\n")
    if lines <= limit:
        return []
    return [Violation(path, lines, "file-length", f"{lines} lines (at most {limit})")]


def python_functions(text):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [(error.lineno or 1, MAX_FUNCTION_LINES + 1)]
    return [(node.lineno, node.end_lineno - node.lineno + 1) for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def cpp_functions(text):
    """(first line, number of lines) of every function body and test, signature included.

    Not a parser of C++: it follows braces and looks at what stands before each. A function is a
    block whose head has parentheses and does not open a namespace or a type; blocks inside of a
    function belong to it.
    """
    code = re.sub(r"^[ \t]*#[^\n]*(\\\n[^\n]*)*", lambda m: "\n" * m.group(0).count("\n"),
                  without_comments_and_strings(text), flags=re.MULTILINE)
    found = []
    blocks = []  # of each open brace: (kind, first line of its head)
    head_at = 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        inside = blocks and blocks[-1][0] in ("function", "inner")
        if match.group(0) == "{":
            in_initialiser = blocks and blocks[-1][0] == "initialiser"
            kind = ("inner" if inside else
                    "initialiser" if in_initialiser else _kind(code[head_at:at]))
            start = head_at + len(code[head_at:at]) - len(code[head_at:at].lstrip())
            blocks.append((kind, line_of(code, start), head_at))
            if kind != "initialiser":
                head_at = at + 1
        elif match.group(0) == "}":
            kind, line, began = blocks.pop() if blocks else ("inner", 1, 0)
            if kind == "function":
                found.append((line, line_of(code, at) - line + 1))
            head_at = began if kind == "initialiser" else at + 1
        elif not (blocks and blocks[-1][0] == "initialiser"):
            head_at = at + 1
    return found


def _kind(head):
    head = re.sub(r"\b(public|private|protected)\s*:", "", head)
    if _SCOPE_WORDS.search(_without_groups(head)):
        return "scope"
    if "(" not in head:
        return "initialiser"
    # In a constructor's list, `name_{value}`: the body is still to come.
    if re.search(r"\)\s*(noexcept\s*)?:[^:]", head) and re.search(r"[\w>]\s*$", head):
        return "initialiser"
    return "function"


def _without_groups(text):
    """Without what stands in parentheses and angle brackets: parameters, template arguments."""
    while True:
        shorter = re.sub(r"\([^()]*\)|<[^<>]*>", "", text)
        if shorter == text:
            return text
        text = shorter
