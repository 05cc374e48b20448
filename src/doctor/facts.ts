import { existsSync, readFileSync } from "node:fs";
import { readPreemption } from "../kernel/preemption.ts";

/** One thing that was looked at. `limits`: bpfink works, but sees or tells less. */
export interface Finding {
  readonly name: string;
  readonly status: "ok" | "limits" | "problem" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Capabilities that watching needs, by their bits in CapEff (linux/capability.h). */
const CAPABILITIES: readonly (readonly [name: string, bit: bigint])[] = [
  ["CAP_DAC_READ_SEARCH", 2n],
  ["CAP_SYS_ADMIN", 21n],
  ["CAP_PERFMON", 38n],
  ["CAP_BPF", 39n],
];

/** Everything that can be known of the kernel and of our rights in it without loading anything. */
export function readFindings(): Finding[] {
  return [
    { name: "kernel", status: "ok", found: read("/proc/sys/kernel/osrelease") ?? "unknown" },
    btf(),
    lockdownOf(read("/sys/kernel/security/lockdown")),
    securityModules(),
    preemption(),
    capabilitiesOf(read("/proc/self/status") ?? ""),
  ];
}

function btf(): Finding {
  const name = "BTF";
  if (existsSync("/sys/kernel/btf/vmlinux")) return { name, status: "ok", found: "/sys/kernel/btf/vmlinux" };
  return {
    name,
    status: "limits",
    found: "the kernel does not describe its types: no BPF program of bpfink can be loaded",
    remedy: "a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian 11, Ubuntu 20.10, RHEL 8.2 and later have",
  };
}

/** @param text kernel_lockdown(7): "none [integrity] confidentiality" */
export function lockdownOf(text: string | undefined): Finding {
  const name = "lockdown";
  const mode = /\[(\w+)\]/.exec(text ?? "")?.[1];
  if (mode !== "confidentiality")
    return { name, status: "ok", found: mode ?? "none (not built in, or not to be read)" };
  return {
    name,
    status: "limits",
    found: "confidentiality: BPF programs may not read the kernel's memory",
    remedy: "boot with lockdown=integrity",
  };
}

function securityModules(): Finding {
  const found = read("/sys/kernel/security/lsm");
  const name = "security modules";
  return found === undefined
    ? { name, status: "unknown", found: "/sys/kernel/security cannot be read", remedy: "mount securityfs there" }
    : { name, status: "ok", found };
}

function preemption(): Finding {
  const { losesEvents, reason } = readPreemption();
  if (!losesEvents) return { name: "preemption", status: "ok", found: reason };
  return {
    name: "preemption",
    status: "limits",
    found: `${reason}: trampolines can miss events, which bpfink notices; it prefers kprobes`,
    remedy: "boot with preempt=voluntary, or a kernel with CONFIG_KPROBES",
  };
}

/** @param status /proc/self/status */
export function capabilitiesOf(status: string): Finding {
  const name = "capabilities";
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const missing = CAPABILITIES.filter(([, bit]) => ((effective >> bit) & 1n) === 0n).map(([name]) => name);
  if (missing.length === 0) return { name, status: "ok", found: CAPABILITIES.map(([name]) => name).join(", ") };
  const flags = missing.map((capability) => `--cap-add ${capability.slice("CAP_".length)}`).join(" ");
  return {
    name,
    status: "problem",
    found: `without ${missing.join(", ")}`,
    remedy: `run as root (sudo bpfink doctor); in a container: ${flags} --pid host`,
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
