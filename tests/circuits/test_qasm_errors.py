"""What a wrong or unsupported program is told: file, line, column, cure."""

import builtins

import pytest

from qtn.circuits.qasm import QasmError, load_qasm, observable
from qtn.circuits.qasm.source import CURE

Q2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3]; creg c[2];\n'
Q3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q; bit[2] c;\n'


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (Q3 + "while (c[0]) { x q[0]; }", "4:1", "`while` is not supported for bits; unroll it with `for`"),
        (Q3 + "\n  switch (1) { case 1 { x q[0]; } }", "5:3", "`switch` is not supported; write it as a sequence of `if`"),
        (Q3 + "def f(qubit a) { x a; } f(q[0], q[1]);", "4:25", "`f` takes 1 argument(s), but 2 are given"),
        (Q3 + "def f(qubit[2] a) { x a; } f(q);", "4:30", "`a` needs 2 qubit(s), but 3 are given"),
        (Q3 + "def f(qubit a, qubit b) { } f(q[0], q[0]);", "4:29", "`f` is given the same qubit twice"),
        (Q3 + "def f(qubit a) { f(a); } f(q[0]);", "4:18", "`f` contains itself"),
        (Q3 + "def f(qubit a) { x q[1]; } f(q[0]);", "4:20", "there is no qubit `q` here"),
        (Q3 + "def f(bit a) { } f(c[0]);", "4:7", "an argument of a bit type is not supported; use qubits and num"),
        (Q3 + "def f(qubit a) { } c[0] = f(q[0]);", "4:27", "`f` returns nothing: end it with `return measure"),
        (Q3 + "def f(int a) -> int { return a; } c[0] = f(3);", "4:23", "a subroutine can return a measurement only"),
        (Q3 + "extern f(int) -> int;", "4:1", "`extern` is not supported"),
        (Q3 + "box { x q[0]; }", "4:1", "`box` is not supported"),
        (Q3 + "complex[float] i;", "4:1", "a variable of a complex type is not supported; use numbers and bits"),
        (Q3 + "int i = 3.5;", "4:9", "a whole number is needed here, but this is 3.5"),
        (Q3 + "int i; i += 1;", "4:8", "`i` has no value yet: give it one where it is declared"),
        (Q3 + "uint i = 2; i -= 3;", "4:13", "a variable without sign cannot be -1: declare it `int`"),
        (Q3 + "int i = 2; if (c[0]) i = 3;", "4:22", "`i` would depend on a measurement; let gates depend on the bit"),
        (Q3 + "int i = 10; i **= 10000000;", "4:13", "exceeds the 64 bits of whole numbers"),
        (Q3 + "c[0] = 1;", "4:1", "assigning to a bit is not supported; only measurements write bits"),
        (Q3 + "output bit r;", "4:1", "`output` is not supported"),
        (Q3 + "x $100000000;", "4:3", "needs 100,000,004 qubits, but at most 10,000 are allowed"),
        (Q3 + "if (c) x q[0];", "4:5", "a condition needs one bit, but this register has 2: compare it with =="),
        (Q3 + "if (c < 2) x q[0];", "4:5", "a condition may use ==, != of bits or a register with a number"),
        (Q2 + "if (c < 2) x q[0];", "4:5", "a condition is `if (c == number)` of a register, but this is `<`"),
        (Q2 + "if (m == 1) x q[0];", "4:5", "there is no bit `m` here: declare it as `creg m[n];`"),
        (Q2 + "if (c == 1) barrier q;", "4:13", "`if` takes a gate, a measurement or a reset: put the `barrier` before"),
        (Q2 + "qreg q[4];", "4:1", "`q` is declared twice: declare it once."),
        (Q3 + "if (c == 7) x q[0];", "4:5", "7 does not fit into 2 bit(s): the condition is never met"),
        (Q3 + "if (3 == c) x q[0];", "4:5", "the left side of a comparison must be a bit"),
        (Q2 + f"rx({'-' * 9000}1) q[0];", "1:1", "are nested too deeply: define gates for their parts"),
        (Q2 + "rx(t) q[0];", "4:4", "only numbers, pi and parameters of gates are"),
        (Q3 + "rx(1/2) q[0];", "4:4", "`1/2` divides whole numbers, which rounds down: write 1.0/2"),
        (Q3 + "rx(t) q[0];", "4:4", "`t` is not a number that is known before the program runs"),
        (Q3 + "rx(popcount(3)) q[0];", "4:4", "the function `popcount` of 1 numbers is not supported; known: sin"),
        (Q3 + "rx(1.0/0) q[0];", "4:4", "divides by zero"),
        (Q3 + "rx(sqrt(-1)) q[0];", "4:4", "`sqrt(-1)` cannot be computed"),
        (Q3 + "rx(1 & 1) q[0];", "4:4", "the operator `&` is not supported in numbers"),
        (Q3 + "rx(mod(1,0)) q[0];", "4:4", "divides by zero"),
        (Q3 + "rx((-1)**0.5) q[0];", "4:4", "must be a finite real number, but is ("),
        (Q3 + "rx(1e400) q[0];", "4:4", "must be a finite real number, but is inf"),
        (Q3 + "ctrl(0) @ x q[0];", "4:1", "a gate needs at least one control, but this asks for 0"),
        (Q3 + "ctrl(-1) @ x q[0], q[1];", "4:1", "a gate needs at least one control, but this asks for -1"),
        ("OPENQASM 4.0;\nqubit q;", "1:1", "OpenQASM 4 is not supported: the versions are 2.0 and 3"),
        (Q3 + "pow(0.5) @ ccx q[0], q[1], q[2];", "4:1", "`pow(0.5)` of this gate is not supported: use a whole num"),
        (Q3 + "input float a;", "4:1", "the input `a` has no value: give --input a=VALUE"),
        (Q3 + "qubit q;", "4:1", "`q` is declared twice"),
        (Q3 + "for int i in [0:1] { bit b; }", "4:22", "`b` is declared twice: declare it once, before any loop"),
        (Q3 + "bit e; if (c == e) x q[0];", "4:12", "2 bit(s) are compared with 1: compare as many"),
        (Q3 + "x q[0.5];", "4:5", "a whole number is needed here, but this is 0.5"),
        (Q3 + "gate g a { measure a; }", "4:12", "measure"),
        (Q2 + "cx q[0],q[3];", "4:9", "the index 3 is outside a register of size 3"),
        (Q2 + "cx q[0],q[0];", "4:1", "`cx` acts on the same qubit twice"),
        (Q2 + "rx q[0];", "4:1", "`rx` takes 1 parameter(s), but 0 are given"),
        (Q2 + "cx q[0];", "4:1", "`cx` acts on 2 qubit(s), but 1 are given"),
        (Q2 + "qreg r[2]; cx q,r;", "4:12", "registers of different sizes [2, 3] cannot be combined"),
        (Q2 + "measure q -> c;", "4:1", "3 qubit(s) are measured into 2 bit(s)"),
        (Q2 + "measure q[0] -> d[0];", "4:17", "there is no bit `d` here: declare it as `creg d[n];`"),
        (Q2 + "x r[0];", "4:3", "there is no qubit `r` here"),
        (Q2 + "foo q[0];", "4:1", "the gate `foo` is not known; define it"),
        (Q2 + "ccnot q[0],q[1],q[2];", "4:1", "the gate `ccnot` is not known; did you mean `ccx`? Or define"),
        (Q2 + "cswp q[0],q[1],q[2];", "4:1", "not known; did you mean `cswap`? Or define it with `gate cswp"),
        (Q2 + "gate mine a { x a; } mien q[0];", "4:22", "not known; did you mean `mine`? Or define it"),
        (Q2 + "opaque foo(a) r;\nfoo(1) q[0];", "5:1", "`foo` is opaque: it has no definition"),
        (Q2 + "rx(2^2) q[0]; foo q[0];", "4:15", "the gate `foo` is not known"),  # columns are those of the file
        (Q2 + "gate g a { g a; } g q[0];", "4:12", "`g` contains itself"),
        (Q2 + "gate g a { x q[0]; } g q[0];", "4:14", "only a can be used in the body of this gate"),
        ('OPENQASM 2.0;\nqreg q[1];\nh q[0];', "3:1", 'the gate `h` is not defined here: add `include "qelib1.inc";`'),
        ('OPENQASM 2.0;\ninclude "mine.inc";', "2:1", "only qelib1.inc and stdgates.inc can be included"),
        (Q2 + "h q[0;", "4:6", "`;` is not expected here"),
        (Q2 + "/* no\ncode */ foo q[0];", "5:9", "the gate `foo` is not known"),
        (Q3 + "x q[0]", "4:7", "the end of the file is not expected here; is something missing before it?"),
        ("OPENQASM 3.0;", "1:1", "the program declares no qubits"),
    ],
)  # fmt: skip
def test_wrong_programs(text, place, message, tmp_path):
    file = tmp_path / "F.qasm"
    file.write_text(text)
    with pytest.raises(QasmError) as found:
        load_qasm(file)
    assert str(found.value).startswith(f"{file}:{place}: ")
    assert message in str(found.value)


def test_inputs_that_are_no_numbers():
    with pytest.raises(ValueError, match="`inputs` must hold finite numbers, but a is nan"):
        load_qasm("input float a; qubit q;", {"a": float("nan")})


def test_inputs_that_the_program_does_not_have():
    with pytest.raises(ValueError, match="`inputs` names 'b', but the inputs of the program are: a"):
        load_qasm("input float a; qubit q;", {"a": 1.0, "b": 2.0})


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        load_qasm(tmp_path / "none.qasm")
    (tmp_path / "binary.qasm").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match="is not a text file in UTF-8"):
        load_qasm(tmp_path / "binary.qasm")
    with pytest.raises(ValueError, match="cannot be read as a file"):
        load_qasm(tmp_path)


def test_a_missing_parser_says_what_to_install(monkeypatch):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("openqasm3"):
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError) as found:
        load_qasm("qubit q;")
    assert str(found.value) == CURE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ZZ", "must have one letter for each of 3 qubits, but has 2"),
        ("ZAZ", "must consist of I, X, Y, Z, as in ZZII or Z0 X5"),
        ("", "must consist of I, X, Y, Z"),
        ("Z0 X3", "there is no qubit 3; the qubits are 0..2"),
        ("Z0 X0", "names a qubit twice"),
    ],
)
def test_wrong_observables(text, message):
    with pytest.raises(ValueError, match=message):
        observable(load_qasm("qubit[3] q;"), text)
