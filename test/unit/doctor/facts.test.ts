import { expect, test } from "bun:test";
import { capabilitiesOf, lockedMemoryOf } from "../../../src/doctor/capabilities.ts";
import { btfOf, lockdownOf, pidsOf, securityModulesOf } from "../../../src/doctor/facts.ts";

const remedied = { remedy: expect.any(String) };

test("lockdown: as the kernel tells it, or unknown", () => {
  expect(lockdownOf("[none] integrity confidentiality\n", "lockdown,bpf")).toMatchObject({
    status: "ok",
    found: "none",
  });
  expect(lockdownOf("none [integrity] confidentiality\n", "lockdown")).toMatchObject({
    status: "ok",
    found: "integrity",
  });
  const confidential = lockdownOf("none integrity [confidentiality]\n", "lockdown");
  expect(confidential).toMatchObject({ status: "limits", ...remedied });
  expect(lockdownOf(undefined, "capability,bpf")).toMatchObject({ status: "ok", found: "not built in" });
  expect(lockdownOf(undefined, undefined)).toMatchObject({ status: "unknown", ...remedied });
});

test("BTF, security modules, process ids", () => {
  expect(btfOf(true)).toEqual({ name: "BTF", status: "ok", found: "/sys/kernel/btf/vmlinux" });
  expect(btfOf(false)).toMatchObject({ status: "limits", ...remedied });
  expect(securityModulesOf("bpf,apparmor")).toMatchObject({ status: "ok", found: "bpf,apparmor" });
  expect(securityModulesOf(undefined)).toMatchObject({ status: "unknown", ...remedied });
  expect(pidsOf(true)).toMatchObject({ status: "ok" });
  expect(pidsOf(false)).toMatchObject({ status: "limits", ...remedied });
});

const bits = (...numbers: bigint[]) =>
  `Name:\tx\nCapEff:\t${numbers
    .reduce((sum, bit) => sum | (1n << bit), 0n)
    .toString(16)
    .padStart(16, "0")}\n`;
const INITIAL = "         0          0 4294967295\n";
const [OVERRIDE, READ_SEARCH, PTRACE, ADMIN, PERFMON, BPF] = [1n, 2n, 19n, 21n, 38n, 39n];

test.each([
  ["all", bits(OVERRIDE, READ_SEARCH, PTRACE, ADMIN, PERFMON, BPF), INITIAL, true, "ok", /CAP_BPF/],
  ["those that others imply", bits(OVERRIDE, PTRACE, ADMIN), INITIAL, true, "ok", /^CAP_SYS_ADMIN, CAP_SYS_PTRACE$/],
  ["no ptrace", bits(OVERRIDE, ADMIN), INITIAL, true, "limits", /^without CAP_SYS_PTRACE: /],
  ["no search", bits(PTRACE, ADMIN), INITIAL, true, "limits", /^without CAP_DAC_READ_SEARCH: /],
  ["no admin", bits(OVERRIDE, READ_SEARCH, PTRACE, PERFMON, BPF), INITIAL, true, "problem", /^without CAP_SYS_ADMIN$/],
  ["none", bits(), INITIAL, true, "problem", /^without CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON$/],
  ["another user", bits(OVERRIDE, PTRACE, ADMIN), INITIAL, false, "problem", /^not root$/],
  ["nobody", bits(), INITIAL, false, "problem", /^not root, without CAP_SYS_ADMIN, /],
  ["a user namespace", bits(OVERRIDE, PTRACE, ADMIN), "0 1000 1\n", true, "problem", /user namespace/],
  ["no /proc", "", undefined, true, "problem", /^without CAP_SYS_ADMIN, /],
] as const)("capabilities: %s", (_, status, uidMap, isRoot, expected, found) => {
  const finding = capabilitiesOf({ status, uidMap, isRoot });
  expect(finding).toMatchObject({ name: "capabilities", status: expected, found: expect.stringMatching(found) });
  expect(finding.remedy === undefined).toBe(expected === "ok");
});

test("locked memory is told of where it is limited", () => {
  const limits = (hard: string) =>
    `Limit Soft Hard Units\nMax locked memory         65536                ${hard}   bytes     \n`;
  const RESOURCE = 24n;
  expect(lockedMemoryOf({ status: bits(ADMIN) }, limits("65536"))).toMatchObject({ status: "limits", ...remedied });
  expect(lockedMemoryOf({ status: bits(ADMIN, RESOURCE) }, limits("65536"))).toBeUndefined();
  expect(lockedMemoryOf({ status: bits(ADMIN) }, limits("unlimited"))).toBeUndefined();
  expect(lockedMemoryOf({ status: bits(ADMIN) }, "")).toBeUndefined();
});
