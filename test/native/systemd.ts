// A systemd of the test's own: process 1 of new namespaces, with a few units, and nothing of this machine to write to.
import { end, type Ended, environment, PATIENCE } from "../e2e/process.ts";

export const SYSTEMD = "/usr/lib/systemd/systemd";

/** In a mount namespace: a cgroup that is systemd's root, whatever is mounted in /sys/fs/cgroup and how. */
const ENTER = `
  mount -t cgroup2 none /mnt && mkdir /mnt/$1 && echo 0 >/mnt/$1/cgroup.procs && umount /mnt
  exec unshare --pid --fork --kill-child --mount-proc --uts --ipc --cgroup sh -euc "$2"`;

/** As process 1. Generators would make units of what is in /etc/init.d. */
const BOOT = `
  umount -R /sys/fs/cgroup && mount -o remount,bind,ro /sys && mount -t cgroup2 none /sys/fs/cgroup
  mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
  units=/usr/lib/systemd/system
  for place in /run /tmp /usr/local /var/lib /etc/systemd/system $units $units-generators; do
    mount -t tmpfs -o mode=755 none $place
  done
  mount -o remount,bind,ro /
  for target in sysinit basic multi-user local-fs time-sync shutdown; do
    printf '[Unit]\\nDefaultDependencies=no\\n' >$units/$target.target
  done
  exec env -i container=test PATH="$PATH" ${SYSTEMD} --unit=multi-user.target --log-target=null --show-status=false`;

const LEAVE = `
  mount -t cgroup2 none /mnt
  until find /mnt/$1 -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.1; done`;

const inMountNamespace = (script: string, ...args: string[]) => [
  "unshare",
  "--mount",
  "sh",
  "-euc",
  script,
  "sh",
  ...args,
];

export class Systemd implements AsyncDisposable {
  readonly #cgroup = `bpfink-test-${process.pid}`;
  readonly #child = Bun.spawn(inMountNamespace(ENTER, this.#cgroup, BOOT), {
    env: environment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });

  /** Resolves when it has booted. */
  static async boot(): Promise<Systemd> {
    const systemd = new Systemd();
    const deadline = performance.now() + PATIENCE;
    while ((await systemd.run("systemctl", "is-active", "multi-user.target")).stdout !== "active\n") {
      if (performance.now() < deadline) await Bun.sleep(50);
      else {
        await systemd[Symbol.asyncDispose]();
        throw new Error("systemd does not boot");
      }
    }
    return systemd;
  }

  /** Runs a command where systemd is process 1. */
  run(...command: string[]): Promise<Ended> {
    const at = `/proc/${this.#child.pid}/ns`;
    const namespaces = ["uts", "ipc", "cgroup"].map((name) => `--${name}=${at}/${name}`);
    return end(["nsenter", `--mount=${at}/mnt`, ...namespaces, `--pid=${at}/pid_for_children`, ...command], {
      cwd: "/",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL"); // and the kernel all that is in the namespace
    await this.#child.exited;
    await end(inMountNamespace(LEAVE, this.#cgroup));
  }
}
