OPENQASM 3.0;
include "stdgates.inc";
input float gamma0;
input float beta0;
input float gamma1;
input float beta1;
qubit[20] q;
h q;
for int i in [0:18] {
  cx q[i], q[i + 1];  rz(gamma0) q[i + 1];  cx q[i], q[i + 1];
}
cx q[19], q[0];  rz(gamma0) q[0];  cx q[19], q[0];
rx(2 * beta0) q;
for int i in [0:18] {
  cx q[i], q[i + 1];  rz(gamma1) q[i + 1];  cx q[i], q[i + 1];
}
cx q[19], q[0];  rz(gamma1) q[0];  cx q[19], q[0];
rx(2 * beta1) q;
