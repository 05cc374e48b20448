// What this kernel permits, and whether changes are really seen.
import { expect, test } from "bun:test";
import { bpfink, BPFINK, end, inVm, SLOW } from "./process.ts";

interface Report {
  readonly findings: readonly { readonly name: string; readonly status: string; readonly remedy?: string }[];
  readonly forms: readonly { readonly backend: string; readonly refusal?: string; readonly remedy?: string }[];
  readonly backend?: string;
  readonly canary: { readonly seen: boolean; readonly latency?: { readonly median: number; readonly max: number } };
}

test(
  "--json: everything that was found, and a canary that was seen",
  async () => {
    const { status, stdout } = await bpfink(["doctor", "--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(status).toBe(0);
    expect(report.findings.map(({ name }) => name)).toEqual([
      "kernel",
      "BTF",
      "lockdown",
      "security modules",
      "preemption",
      "capabilities",
    ]);
    expect(report.forms.map(({ backend }) => backend)).toEqual(["ebpf/fentry", "ebpf/kprobe"]);
    for (const { refusal, remedy } of report.forms) expect(remedy === undefined).toBe(refusal === undefined);
    expect(report.backend).toMatch(/^(ebpf\/\w+|fanotify)$/);
    expect(report.canary.seen).toBe(true);
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
    expect(stdout).toMatch(/^PROBLEM capabilities +without CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF$/m);
    expect(stdout).toMatch(/^ +do: run as root .*--cap-add SYS_ADMIN/m);
    expect(stdout).toMatch(/^PROBLEM canary +changes are not seen: /m);
  },
  SLOW,
);

test.each(inVm ? ["ebpf/fentry", "ebpf/kprobe"] : ["fanotify"])(
  "--backend %s: the canary of the one that is asked for",
  async (backend) => {
    const { status, stdout } = await bpfink(["doctor", "--json", "--backend", backend]);
    expect({ status, report: JSON.parse(stdout) as Report }).toMatchObject({
      status: 0,
      report: { backend, canary: { seen: true } },
    });
  },
  SLOW,
);
