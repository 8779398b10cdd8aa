"""Runs an experiment in parts under Slurm, kills a node in the middle, and compares the joined report with that of one run,
byte for byte: `make test-slurm`.

A cluster of two nodes is set up on this machine, below target/slurm: munged, slurmctld and two slurmd, which end with the
test. It needs root, as slurmd does, and Debian's `slurm-wlm` and `munge`, which it installs. Networks have random weights and
the images are made here, so that nothing is fetched. With `--skip` it prints why it can't run here and ends well.
"""

import argparse
import filecmp
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "slurm"
IMAGES = 520
TASKS = 4
FILES = ["report.html", "results.json", "data.safetensors", "experiment.lock.yaml"]

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={work}/munge/socket
StateSaveLocation={work}/ctld
SlurmdSpoolDir={work}/slurmd.%n
SlurmctldPidFile={work}/slurmctld.pid
SlurmdPidFile={work}/slurmd.%n.pid
SlurmctldLogFile={work}/slurmctld.log
SlurmdLogFile={work}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
MessageTimeout=5
SchedulerParameters=requeue_setup_env_fail
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=4000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=4000
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""

SPEC = """\
title: A collection in parts
seed: 5
models:
  - {id: first, arch: resnet18, weights: random}
  - {id: second, arch: vgg11, weights: random}
collection: photos
methods:
  - evaluate
  - exemplars: {layers: [stage3, penultimate], units: {class: tench, count: 3}, maximize: 0}
  - tsne: {layers: [penultimate], epochs: 50}
  - cka: {layers: [stage2, penultimate]}
"""


class Failed(Exception):
    """What went wrong, with the logs that show it."""


class CannotRun(Exception):
    """Why there can be no cluster here."""


def png(path, number):
    """Writes an image of 96×96 pixels that depends on `number`."""
    side = 96
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            wave = (x * (1 + number % 7) + y * (1 + number % 5) * 2) % 256
            rows += bytes((wave, number * 37 % 256, (x * y // 8 + number) % 256))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(rows), 1)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def make_images():
    """Two folders of classes."""
    for number in range(IMAGES):
        folder = WORK / "photos" / ("tench" if number % 3 == 0 else "goldfish")
        folder.mkdir(parents=True, exist_ok=True)
        png(folder / f"{number:04}.png", number)


def install():
    """Slurm and munge from Debian, unless they are there."""
    if os.geteuid() != 0:
        raise CannotRun("slurmd needs root")
    programs = ["munged", "slurmctld", "slurmd", "sbatch"]
    if all(shutil.which(program) for program in programs):
        return
    if not shutil.which("apt-get"):
        raise CannotRun("there is no Slurm, and no apt-get that could install it")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "slurm-wlm", "munge"]
    done = subprocess.run(["apt-get", "update", "-qq"], env=env, capture_output=True, text=True)
    done = subprocess.run(call, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotRun(f"slurm-wlm and munge can't be installed: {done.stderr.strip()[-300:]}")


def free_ports(count):
    """Ports that nobody uses."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """munged, slurmctld and two slurmd of this test alone."""

    def __init__(self):
        self.processes = {}
        host = socket.gethostname().split(".")[0]
        for folder in ["munge", "ctld", "slurmd.n1", "slurmd.n2"]:
            (WORK / folder).mkdir(parents=True)
        key = WORK / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.conf = WORK / "slurm.conf"
        self.conf.write_text(CONF.format(host=host, ports=free_ports(3), work=WORK))
        self.env = {**os.environ, "SLURM_CONF": str(self.conf)}

    def start(self):
        """Starts everything and waits until both nodes are idle."""
        munge = WORK / "munge"
        self.spawn(
            "munged",
            ["munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket",
             f"--pid-file={munge}/pid", f"--seed-file={munge}/seed", f"--log-file={munge}/log"],
        )
        wait(lambda: (munge / "socket").exists(), 10, "munged")
        self.spawn("slurmctld", ["slurmctld", "-D", "-f", str(self.conf)])
        for node in ["n1", "n2"]:
            self.start_node(node)

        def idle():
            found = self.output(["sinfo", "--noheader", "--Node", "--format=%N %T"])
            return found.split("\n")[:2] == ["n1 idle", "n2 idle"]

        wait(idle, 30, "two idle nodes")

    def start_node(self, node):
        self.spawn(node, ["slurmd", "-D", "-f", str(self.conf), "-N", node])

    def spawn(self, name, command):
        log = open(WORK / f"{name}.out", "ab")
        # In a group of its own, so that all of a node's processes can be killed.
        self.processes[name] = subprocess.Popen(
            command, env=self.env, stdout=log, stderr=log, start_new_session=True
        )

    def output(self, command):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        return done.stdout.strip()

    def kill_node(self, node):
        """Ends a node as a power failure does: slurmd, and every process of its jobs."""
        process = self.processes.pop(node)
        doomed = descendants(process.pid)
        # The step's processes leave slurmd's tree; they name the node's spool folder or are their children.
        steps = [pid for pid, line in commands() if f"slurmstepd: [" in line and pid_node(pid) == node]
        for step in steps:
            doomed |= {step} | descendants(step)
        for pid in [process.pid, *doomed]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def stop(self):
        for name in ["n1", "n2"]:
            if name in self.processes:
                self.kill_node(name)
        for process in reversed(list(self.processes.values())):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def commands():
    """Every process with its command line."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            yield int(entry.name), line


def pid_node(pid):
    """The node of a step's process, by the environment of its children."""
    for child in descendants(pid):
        try:
            environment = pathlib.Path(f"/proc/{child}/environ").read_bytes()
        except OSError:
            continue
        found = re.search(rb"SLURMD_NODENAME=(\w+)", environment)
        if found:
            return found.group(1).decode()
    return None


def descendants(pid):
    """The processes below `pid`."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = set()
    grown = True
    while grown:
        grown = False
        for child, parent in parents.items():
            if child not in found and (parent == pid or parent in found):
                found.add(child)
                grown = True
    return found


def wait(condition, seconds, what):
    """Waits until `condition` holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.3)
    raise Failed(f"{what}: not within {seconds} s")


def run(command, env=None):
    """Runs a command, which must succeed, and returns its output."""
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def test(program):
    """One run, the same in parts with a node that is killed, and the comparison."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    make_images()
    spec = WORK / "spec.yaml"
    spec.write_text(SPEC)
    cluster = Cluster()
    try:
        try:
            cluster.start()
        except Failed as failure:
            logs = "\n".join(log.read_text(errors="replace")[-500:] for log in sorted(WORK.glob("*.out")))
            raise CannotRun(f"{failure}\n{logs}") from failure
        env = {**cluster.env, "CONVSCOPE_CACHE": str(WORK / "cache-of-cluster")}
        slurm = [program, "slurm", spec, "--tasks", str(TASKS), "--out", WORK / "cluster", "--offline", "--submit"]
        began = time.monotonic()
        print(run(slurm, env), end="", flush=True)
        parts = WORK / "cluster" / "spec" / "parts"
        killed = kill_a_busy_node(cluster, parts)
        report = WORK / "cluster" / "spec" / "report.html"
        wait(lambda: cluster.output(["squeue", "--noheader"]) == "", 900, "the jobs' end")
        if not report.exists():
            raise Failed("the jobs have ended without a report")
        print(f"the jobs took {time.monotonic() - began:.0f} s", flush=True)
        log = (WORK / "cluster" / "spec" / "slurm" / f"part-{killed}.log").read_text()
        if "goes on after" not in log:
            raise Failed(f"part {killed} began anew after its node was killed:\n{log}")
        print(next(line for line in log.split("\n") if "goes on after" in line))
        again = run(slurm, env)
        if f"complete already: {TASKS} of {TASKS} parts" not in again:
            raise Failed(f"a second call runs parts again:\n{again}")
        wait(lambda: cluster.output(["squeue", "--noheader"]) == "", 300, "the second merge's end")
    finally:
        cluster.stop()
    env = {**os.environ, "CONVSCOPE_CACHE": str(WORK / "cache-of-one")}
    run([program, "run", spec, "--out", WORK / "one", "--offline"], env)
    for name in FILES:
        if not filecmp.cmp(WORK / "cluster" / "spec" / name, WORK / "one" / "spec" / name, shallow=False):
            raise Failed(f"{name} differs between the cluster's report and that of one run")
    print(f"{TASKS} parts on two nodes, one of them killed: the same bytes as one run ({', '.join(FILES)})")


def kill_a_busy_node(cluster, parts):
    """Kills node n2 once the part that runs there has stored its state, starts it again, and returns the part's number."""
    state = []

    def stored():
        running = cluster.output(["squeue", "--noheader", "--states=R", "--nodelist=n2", "--format=%K"])
        for number in running.split():
            folder = parts / f"part-{number}-of-{TASKS}"
            if (folder / "state.safetensors").exists():
                state.append(number)
                return True
        return False

    wait(stored, 300, "a part's first state on node n2")
    cluster.kill_node("n2")
    print(f"killed node n2 while it ran part {state[0]}", flush=True)
    down = lambda: "down" in cluster.output(["sinfo", "--noheader", "--nodes=n2", "--format=%T"])
    wait(down, 120, "Slurm's notice that n2 is down")
    cluster.start_node("n2")
    return state[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=ROOT / "target" / "debug" / "convscope", type=pathlib.Path)
    parser.add_argument("--skip", action="store_true", help="where there can be no cluster, say why and end well")
    arguments = parser.parse_args()
    try:
        install()
        test(arguments.program.resolve())
    except CannotRun as reason:
        print(f"Slurm can't run here: {reason}")
        sys.exit(0 if arguments.skip else 1)
    except Failed as failure:
        print(failure)
        for log in sorted(WORK.glob("*.out")) + sorted(WORK.glob("cluster/spec/slurm/*.log")):
            print(f"== {log.name}")
            print("\n".join(log.read_text(errors="replace").split("\n")[-25:]))
        sys.exit(1)


if __name__ == "__main__":
    main()
