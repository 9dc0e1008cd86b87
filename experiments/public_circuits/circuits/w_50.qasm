OPENQASM 3.0;
include "stdgates.inc";
const int n = 50;
qubit[n] q;
x q[0];
for int k in [0:n - 2] {
  cry(2 * arccos(sqrt(1.0 / (n - k)))) q[k], q[k + 1];
  cx q[k + 1], q[k];
}
