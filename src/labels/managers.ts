import type { Actor, Ancestor } from "../event.ts";

/** Which database a package manager keeps. */
export type Manager = "dpkg" | "rpm";

const EXECUTABLES = new Map<string, Manager>([
  ...["dpkg", "apt", "apt-get", "aptitude"].map((name) => [`/usr/bin/${name}`, "dpkg"] as const),
  ...["rpm", "dnf5", "microdnf", "tdnf", "zypper"].map((name) => [`/usr/bin/${name}`, "rpm"] as const),
  ["/usr/bin/dnf5daemon-server", "rpm"],
  ["/usr/libexec/packagekitd", "rpm"],
]);

/** dnf and yum are scripts: comm has the name of one that was executed (begin_new_exec in fs/exec.c of Linux). */
const PYTHON = /^\/usr\/(?:bin|libexec)\/(?:platform-)?python[\d.]*$/;
const SCRIPT = /^(?:\/usr\/bin\/)?(?:dnf|dnf-3|dnf-automatic|yum)$/;

/** Pure. Which package manager a process is, or descends from. Anybody can call a program so: it proves nothing. */
export function managersOf({ process }: Actor): (Manager | undefined)[] {
  return [managerOf(process, process.args), ...(process.ancestors ?? []).map((ancestor) => managerOf(ancestor))];
}

function managerOf(process: Ancestor, args: readonly string[] = []): Manager | undefined {
  const executable = process.executable.replace(/ \(deleted\)$/, ""); // it installs itself, too
  const script = args.slice(1).find((arg) => !arg.startsWith("-")) ?? "";
  if (PYTHON.test(executable)) return SCRIPT.test(process.name) || SCRIPT.test(script) ? "rpm" : undefined;
  return EXECUTABLES.get(executable);
}
