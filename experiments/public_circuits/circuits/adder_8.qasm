OPENQASM 2.0;
include "qelib1.inc";
gate majority a,b,c { cx c,b; cx c,a; ccx a,b,c; }
gate unmajority a,b,c { ccx a,b,c; cx c,a; cx a,b; }
qreg q[8];
x q[4];
x q[6];
x q[1];
h q[2];
ry(0.7) q[4];
majority q[0],q[1],q[2];
majority q[2],q[3],q[4];
majority q[4],q[5],q[6];
cx q[6],q[7];
unmajority q[4],q[5],q[6];
unmajority q[2],q[3],q[4];
unmajority q[0],q[1],q[2];
