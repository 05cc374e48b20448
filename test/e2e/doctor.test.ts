// What this kernel permits, and whether changes are really seen.
import { expect, test } from "bun:test";
import { bpfink, BPFINK, end, inVm, KERNEL, SLOW } from "./process.ts";

interface Report {
  readonly findings: readonly {
    readonly name: string;
    readonly status: string;
    readonly found: string;
    readonly remedy?: string;
  }[];
  readonly forms: readonly { readonly backend: string; readonly refusal?: string; readonly remedy?: string }[];
  readonly backend?: string;
  readonly canary: {
    readonly seen: boolean;
    readonly directory: string;
    readonly latency?: { readonly median: number; readonly max: number };
  };
}

test.each(inVm ? ["ebpf/fentry", "ebpf/kprobe"] : ["auto", "fanotify"])(
  "--json --backend %s: everything that was found, and a canary that was seen",
  async (backend) => {
    const { status, stdout } = await bpfink(["doctor", "--json", "--backend", backend]);
    const report = JSON.parse(stdout) as Report;
    expect({ status, report }).toMatchObject({ status: 0, report: { canary: { seen: true } } });
    expect(report.findings.map(({ name }) => name)).toEqual([
      "kernel",
      "BTF",
      "lockdown",
      "security modules",
      "preemption",
      "capabilities",
      "process ids",
    ]);
    expect(report.forms.map(({ backend }) => backend)).toEqual(["ebpf/fentry", "ebpf/kprobe"]);
    for (const { refusal, remedy } of report.forms) expect(remedy === undefined).toBe(refusal === undefined);
    if (inVm) for (const { refusal } of report.forms) expect(refusal).toBeUndefined();
    expect(report.backend).toMatch(backend === "auto" ? /^(ebpf\/\w+|fanotify)$/ : backend);
    expect(report.canary.latency?.median).toBeGreaterThan(0);
  },
  SLOW,
);

test(
  "without root it says so, and what to do; the status is 3",
  async () => {
    const asNobody = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
    const { status, stdout } = await end([...asNobody, BPFINK, "doctor"], { cwd: "/" });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^PROBLEM capabilities +without CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON$/m);
    expect(stdout).toMatch(/^ +do: run as root .*--cap-add SYS_ADMIN/m);
    expect(stdout).toMatch(/^PROBLEM canary +changes are not seen: /m);
  },
  SLOW,
);

/** Runs doctor, behind a command that takes something from it. */
async function report(...wrapper: string[]): Promise<Report & { readonly status: number }> {
  const { status, stdout } = await end([...wrapper, BPFINK, "doctor", "--json"], { cwd: "/" });
  return { ...(JSON.parse(stdout) as Report), status };
}

const finding = ({ findings }: Report, name: string) => findings.find((each) => each.name === name);

test.skipIf(inVm)(
  // no matter of the kernel's
  "in a PID namespace",
  async () => {
    const found = await report("unshare", "--pid", "--fork", "--mount-proc");
    expect(found).toMatchObject({ status: 0, canary: { seen: true } });
    expect(finding(found, "process ids")).toMatchObject({
      status: "limits",
      remedy: expect.stringContaining("--pid host"),
    });
  },
  SLOW,
);

/** What is refused because of another finding refers to that one. */
function expectForms({ forms }: Report, cause: string): void {
  for (const { refusal = "", remedy } of forms)
    expect(remedy).toMatch(refusal.includes("has no kprobes") ? /CONFIG_KPROBES/ : new RegExp(`^see ${cause}$`));
}

test(
  "in a user namespace, where capabilities count for nothing",
  async () => {
    const found = await report("unshare", "--user", "--map-root-user");
    expect(found).toMatchObject({ status: 3, canary: { seen: false } });
    expect(finding(found, "capabilities")).toMatchObject({
      status: "problem",
      remedy: expect.stringContaining("host"),
    });
    expectForms(found, "capabilities");
  },
  SLOW,
);

test(
  "without the file of BTF",
  async () => {
    const found = await report("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh");
    expect(finding(found, "BTF")).toMatchObject({ status: "limits" });
    expectForms(found, "BTF");
  },
  SLOW,
);

test.skipIf(inVm)(
  // each doctor loads the programs of both forms, which takes an emulated machine a quarter of a minute
  "CAP_SYS_ADMIN does what CAP_BPF and CAP_PERFMON permit",
  async () => {
    const kept = "-all,+sys_admin,+dac_override,+sys_resource";
    const found = await report("setpriv", `--bounding-set=${kept}`, "--inh-caps=-all");
    expect(found).toMatchObject({
      status: 0,
      canary: { seen: true },
      backend: expect.stringMatching(inVm ? /^ebpf/ : /./),
    });
    expect(finding(found, "capabilities")).toMatchObject({
      status: "limits",
      found: expect.stringContaining("CAP_SYS_PTRACE"),
    });
  },
  SLOW,
);

test.if(KERNEL === "5.10")(
  "BPF's memory is locked memory before Linux 5.11",
  async () => {
    const bounded = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-all"];
    const limited = await report(...bounded, "sh", "-c", 'ulimit -l 64 && exec "$@"', "sh");
    expect(finding(limited, "locked memory")).toMatchObject({
      status: "limits",
      remedy: expect.stringContaining("ulimit -l"),
    });
    expect(limited.forms.map(({ remedy }) => remedy)).toEqual(["see locked memory", "see locked memory"]);
  },
  2 * SLOW,
);

test.skipIf(inVm)(
  // no matter of the kernel's
  "no place in /tmp for its file: another is taken",
  async () => {
    // the executable may lie in /tmp itself
    const withoutTmp = 'exec 9<"$1" && shift && mount -t tmpfs -o ro none /tmp && exec /proc/self/fd/9 "$@"';
    const inReadOnly = await report("unshare", "-m", "sh", "-c", withoutTmp, "sh");
    expect(inReadOnly).toMatchObject({ status: 0, canary: { seen: true, directory: "/run" } });
  },
  SLOW,
);

test.skipIf(inVm)(
  // each doctor loads the programs of both forms, which takes an emulated machine a quarter of a minute
  "what only bpfink watch refuses is no good sign either: another user with all capabilities",
  async () => {
    const capabilities = "+sys_admin,+bpf,+perfmon,+dac_read_search,+sys_ptrace";
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const found = await report(...asNobody, `--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`);
    expect(found).toMatchObject({ status: 3, canary: { seen: false } });
    expect(finding(found, "capabilities")).toMatchObject({ status: "problem", found: "not root" });
  },
  SLOW,
);
