import { choice, one, toggle } from "../cli/args.ts";
import { command } from "../cli/command.ts";
import { sing, type Sung } from "../doctor/canary.ts";
import { type Finding, readFindings, readLockedMemory } from "../doctor/facts.ts";
import { ExitStatus, messageOf } from "../errors.ts";
import { holdKernelTypes } from "../kernel/load.ts";
import { LOG_LEVELS } from "../log.ts";
import { SETTINGS } from "../options.ts";
import { print } from "../print.ts";
import { DEFAULT_SIZES, openSource } from "../source/choose.ts";
import { type FormReport, Probe } from "../source/probe.ts";
import { requireRoot } from "./environment.ts";
import { toJson } from "../visible.ts";

/** What `bpfink doctor --json` prints. */
interface Report {
  readonly findings: readonly Finding[];
  /** What each form of the eBPF backend comes to here. */
  readonly forms: readonly FormReport[];
  /** What `bpfink watch` runs with; undefined: nothing works. */
  readonly backend: string | undefined;
  /** What that backend does not see here. */
  readonly unseen: readonly string[];
  readonly canary: Sung;
}

export const doctor = command({
  name: "doctor",
  summary: "say whether changes are really seen, and why not",
  args: {
    json: toggle("print one object of JSON"),
    backend: SETTINGS.backend,
    config: SETTINGS.config,
    "log-level": one(choice("LEVEL", LOG_LEVELS), "error", `${LOG_LEVELS.join(", ")} (error)`),
  },
  examples: [["bpfink doctor", "status 0 only if the change of a file was seen, else 3"]],
  run: async ({ json, backend }) => {
    const report = await examine(backend);
    print(json ? `${toJson(report)}\n` : textOf(report));
    return report.canary.seen ? ExitStatus.ok : ExitStatus.cannotWatch;
  },
});

async function examine(asked: Parameters<typeof openSource>[0]): Promise<Report> {
  const findings = readFindings();
  using _ = holdKernelTypes();
  using fentry = new Probe("fentry");
  using kprobe = new Probe("kprobe");
  const reports = [fentry.report, kprobe.report];
  // what is refused for want of rights, or for another finding, is no matter of the kernel's configuration
  let cause =
    findings.find(({ status }) => status === "problem") ??
    findings.find(({ name, status }) => status === "limits" && (name === "BTF" || name === "lockdown"));
  if (cause === undefined && reports.some(({ refusal }) => refusal?.includes("EPERM"))) {
    cause = readLockedMemory();
    if (cause !== undefined) findings.push(cause);
  }
  const isError = /: E[A-Z]+\b/; // not: there are no kprobes
  const forms = reports.map((found): FormReport =>
    cause !== undefined && isError.test(found.refusal ?? "") ? { ...found, remedy: `see ${cause.name}` } : found,
  );
  try {
    requireRoot();
    using source = openSource(asked, DEFAULT_SIZES, (form) => ({ fentry, kprobe })[form].take());
    const { backend, unseen = [] } = source;
    return { findings, forms, backend, unseen, canary: await sing(source) };
  } catch (error) {
    const canary = { seen: false, directory: "", reason: messageOf(error) };
    return { findings, forms, backend: undefined, unseen: ["everything"], canary };
  }
}

const MARKS: Readonly<Record<Finding["status"], string>> = {
  ok: "ok",
  limits: "limits",
  problem: "PROBLEM",
  unknown: "?",
};

function textOf({ findings, forms, backend, unseen, canary }: Report): string {
  const row = (mark: string, name: string, text: string) => `${mark.padEnd(8)}${name.padEnd(18)}${text}`;
  const remedy = (text: string | undefined) => (text === undefined ? [] : [row("", "", `do: ${text}`)]);
  return [
    ...findings.flatMap(({ status, name, found, remedy: todo }) => [row(MARKS[status], name, found), ...remedy(todo)]),
    ...forms.flatMap(({ backend, refusal, attached, missing, remedy: todo }) => [
      row(
        refusal === undefined ? "ok" : "limits",
        backend,
        refusal ?? `${attached} hooks attach${missing.length === 0 ? "" : `, ${missing.length} do not`}`,
      ),
      ...missing.map(({ target, reason, consequence }) => row("", "", `${target}: ${consequence} (${reason})`)),
      ...remedy(todo),
    ]),
    row(backend === undefined ? "PROBLEM" : "ok", "backend", backend ?? "none works"),
    ...unseen.map((text) => row("", "", `not seen: ${text}`)),
    canary.seen
      ? row(
          "ok",
          "canary",
          `changes of a file in ${canary.directory} are seen, after ${canary.latency?.median} ms (median; at most ${canary.latency?.max} ms)`,
        )
      : row("PROBLEM", "canary", `changes are not seen: ${canary.reason}`),
    "",
  ].join("\n");
}
