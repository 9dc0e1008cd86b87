OPENQASM 3.0;
include "stdgates.inc";
gate rzz(a) x, y { cx x, y; rz(a) y; cx x, y; }
qubit[64] q;
h q[32];
for int t in [1:5] {
  for int i in [0:2:62] { rzz(0.2) q[i], q[i + 1]; }
  for int i in [1:2:62] { rzz(0.2) q[i], q[i + 1]; }
  rx(0.3) q;
}
