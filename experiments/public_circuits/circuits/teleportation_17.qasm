OPENQASM 3.0;
include "stdgates.inc";
qubit[17] q;
bit[16] c;
ry(1.1) q[0];
rz(0.4) q[0];
h q[1];
cx q[1], q[2];
cx q[0], q[1];
h q[0];
c[0] = measure q[0];
c[1] = measure q[1];
if (c[1]) { x q[2]; }
if (c[0]) { z q[2]; }
h q[3];
cx q[3], q[4];
cx q[2], q[3];
h q[2];
c[2] = measure q[2];
c[3] = measure q[3];
if (c[3]) { x q[4]; }
if (c[2]) { z q[4]; }
h q[5];
cx q[5], q[6];
cx q[4], q[5];
h q[4];
c[4] = measure q[4];
c[5] = measure q[5];
if (c[5]) { x q[6]; }
if (c[4]) { z q[6]; }
h q[7];
cx q[7], q[8];
cx q[6], q[7];
h q[6];
c[6] = measure q[6];
c[7] = measure q[7];
if (c[7]) { x q[8]; }
if (c[6]) { z q[8]; }
h q[9];
cx q[9], q[10];
cx q[8], q[9];
h q[8];
c[8] = measure q[8];
c[9] = measure q[9];
if (c[9]) { x q[10]; }
if (c[8]) { z q[10]; }
h q[11];
cx q[11], q[12];
cx q[10], q[11];
h q[10];
c[10] = measure q[10];
c[11] = measure q[11];
if (c[11]) { x q[12]; }
if (c[10]) { z q[12]; }
h q[13];
cx q[13], q[14];
cx q[12], q[13];
h q[12];
c[12] = measure q[12];
c[13] = measure q[13];
if (c[13]) { x q[14]; }
if (c[12]) { z q[14]; }
h q[15];
cx q[15], q[16];
cx q[14], q[15];
h q[14];
c[14] = measure q[14];
c[15] = measure q[15];
if (c[15]) { x q[16]; }
if (c[14]) { z q[16]; }
