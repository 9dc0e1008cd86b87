"""A SLURM of one node for the tests, from the packages of the system; or the reason why it cannot start."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")

CONF = """\
ClusterName=test
SlurmctldHost={host}(localhost)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
JobRequeue=1
ReturnToService=2
KillWait=30
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=localhost CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class CannotStartError(Exception):
    """SLURM cannot start here; the message says why."""


class Cluster:
    """A running controller and node; `environment` makes the commands of SLURM talk to them."""

    def __init__(self, folder):
        missing = [name for name in PROGRAMS if shutil.which(name, path=paths()) is None]
        if missing:
            raise CannotStartError(f"{', '.join(missing)} not found; apt-get install slurm-wlm munge")
        if os.geteuid() != 0:
            raise CannotStartError("a SLURM of one node starts as root only")
        self.folder, self.host = Path(folder), socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        conf = self.folder / "slurm.conf"
        conf.write_text(CONF.format(host=self.host, folder=self.folder, ports=free_ports(2)))
        self.environment = {**os.environ, "SLURM_CONF": str(conf), "PATH": paths()}
        self.start_munge()
        try:
            self.call("slurmctld")
            time.sleep(1)
            self.call("slurmd", "-N", self.host)
            self.wait_for_node()
        except CannotStartError:
            self.stop()
            raise

    def start_munge(self):
        """Start the authentication service, unless it runs."""
        if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
            return
        run = Path("/run/munge")
        run.mkdir(exist_ok=True)
        shutil.chown(run, "munge", "munge")
        self.call("runuser", "-u", "munge", "--", "munged")

    def wait_for_node(self):
        """Wait until the node takes jobs."""
        state = ""
        for _ in range(60):
            state = subprocess.run(
                ["sinfo", "-h", "-o", "%T"], env=self.environment, capture_output=True, text=True, check=False
            ).stdout.strip()
            if state == "idle":
                return
            time.sleep(0.5)
        raise CannotStartError(f"the node is {state or 'silent'} after 30 s")

    def call(self, *command, check=True, **more):
        """Run a command with this cluster and return what it prints."""
        done = subprocess.run(
            command,
            env={**self.environment, **more.pop("env", {})},
            capture_output=True,
            text=True,
            check=False,
            **more,
        )
        if check and done.returncode:
            raise CannotStartError(f"{command[0]}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def state(self, job):
        """Return the states of the tasks of a job: PENDING, RUNNING, COMPLETED, ..."""
        told = self.call("scontrol", "show", "job", str(job), "-o", check=False)
        return {line.split("JobState=")[1].split()[0] for line in told.splitlines() if "JobState=" in line}

    def stop(self):
        """End the controller and the node that this object started."""
        for name in ("slurmd.pid", "slurmctld.pid"):
            file = self.folder / name
            if file.exists():
                subprocess.run(["kill", file.read_text().strip()], check=False)


def paths():
    """Return the search path with the folders of services."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def free_ports(count):
    """Return ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
