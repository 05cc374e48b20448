import type { Finding } from "./facts.ts";

/** Bits in CapEff (linux/capability.h). */
const BITS = {
  CAP_DAC_OVERRIDE: 1n,
  CAP_DAC_READ_SEARCH: 2n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;
type Capability = keyof typeof BITS;

/** What bpfink does worse without a capability, where it has not another one that the kernel takes as well. */
const WANTED: readonly { readonly name: Capability; readonly instead?: Capability; readonly lack?: string }[] = [
  { name: "CAP_SYS_ADMIN" }, // fanotify, kprobes
  { name: "CAP_BPF", instead: "CAP_SYS_ADMIN" },
  { name: "CAP_PERFMON", instead: "CAP_SYS_ADMIN" },
  {
    name: "CAP_DAC_READ_SEARCH",
    instead: "CAP_DAC_OVERRIDE",
    lack: "files that root may not read by their mode cannot be looked at",
  },
  {
    name: "CAP_SYS_PTRACE",
    lack: "beside fanotify, the programs of other users' processes are not named",
  },
];

/** What decides what we may. */
export interface Rights {
  /** /proc/self/status. */
  readonly status: string;
  /** /proc/self/uid_map: of the initial user namespace it is the identity. */
  readonly uidMap: string | undefined;
  readonly isRoot: boolean;
}

/** Pure. */
export function capabilitiesOf({ status, uidMap, isRoot }: Rights): Finding {
  const name = "capabilities";
  const has = capabilitiesIn(status);
  const missing = WANTED.filter(({ name, instead }) => !has(name) && !(instead !== undefined && has(instead)));
  const needed = missing.filter(({ lack }) => lack === undefined).map(({ name }) => name);
  const flags = missing.map((each) => `--cap-add ${each.name.slice("CAP_".length)}`).join(" ");
  if (uidMap !== undefined && uidMap.trim().split(/\s+/).join(" ") !== "0 0 4294967295") {
    return {
      ...{
        name,
        status: "problem",
        found: "those of a user namespace, which count for nothing in the kernel at large",
      },
      remedy: "run it as the host's root (sudo bpfink doctor); a container neither rootless nor with userns-remap",
    };
  }
  if (!isRoot || needed.length > 0) {
    const found = [...(isRoot ? [] : ["not root"]), ...(needed.length > 0 ? [`without ${needed.join(", ")}`] : [])];
    return {
      ...{ name, status: "problem", found: found.join(", ") },
      remedy: `run as root (sudo bpfink doctor)${flags === "" ? "" : `; in a container: ${flags} --pid host`}`,
    };
  }
  if (missing.length > 0) {
    const found = missing.map(({ name, lack }) => `without ${name}: ${lack}`).join("; ");
    return { name, status: "limits", found, remedy: `in a container: ${flags}; in a unit: CapabilityBoundingSet=` };
  }
  return {
    name,
    status: "ok",
    found: WANTED.filter(({ name }) => has(name))
      .map(({ name }) => name)
      .join(", "),
  };
}

function capabilitiesIn(status: string): (capability: Capability) => boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (capability) => ((effective >> BITS[capability]) & 1n) !== 0n;
}

/**
 * Pure. For kernels on which what BPF maps take is locked memory; to be told where programs are refused.
 *
 * @param limits /proc/self/limits
 */
export function lockedMemoryOf({ status }: Pick<Rights, "status">, limits: string): Finding | undefined {
  const [, soft, hard] = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  if (soft === undefined || hard === "unlimited" || capabilitiesIn(status)("CAP_SYS_RESOURCE")) return undefined;
  return {
    name: "locked memory",
    status: "limits",
    found: `limited to ${hard} bytes, without CAP_SYS_RESOURCE: BPF programs need more on this kernel`,
    remedy: "ulimit -l unlimited; in a unit: LimitMEMLOCK=infinity; in a container: --cap-add SYS_RESOURCE",
  };
}
