import { basename } from "node:path";
import { SHOWN, shortened } from "./changes.ts";
import { differenceOf, isReordered } from "./multiset.ts";
import { parseSudoers, type SudoRule } from "./parse/sudoers.ts";
import { firstProblems } from "./problems.ts";

/** Files of sudoers(5), by their names: sudo includes what its configuration says. */
const SUDOERS = /(?:^|\/)sudoers(?:\.d\/[^/]+)?$/;

/**
 * What a line says of a text, and of a file of sudoers(5) also which rules came and went. They are read in the texts
 * without secrets, which are what there is.
 */
export function withSudoRules(
  path: string,
  details: Record<string, unknown>,
  before: string | undefined,
  after: string | undefined,
): Record<string, unknown> {
  if (!SUDOERS.test(path)) return details;
  const [was, is] = [parseSudoers(before ?? ""), parseSudoers(after ?? "")];
  const { add, del } = differenceOf(was.entries, is.entries);
  const changes = [...del.map((rule) => words(rule, "may no longer")), ...add.map((rule) => words(rule, "may"))];
  const { add: added, del: removed, notes = [], ...rest } = details as Details;
  const all = [
    ...notes,
    ...(isReordered(was.entries, is.entries) ? ["order changed: the last rule that matches decides"] : []),
    ...(isIgnored(path) ? ["sudo does not read it: there is a dot in its name, or a ~ at the end"] : []),
  ];
  const { problems, moreProblems } = firstProblems(is.problems);
  return {
    ...(changes.length > 0 ? { changes: shortened(changes) } : {}),
    add: { ...added, rules: add.slice(0, SHOWN) },
    del: { ...removed, rules: del.slice(0, SHOWN) },
    ...rest,
    ...(all.length > 0 ? { notes: all } : {}),
    ...(problems.length > 0 ? { problems } : {}),
    ...(moreProblems === undefined ? {} : { moreProblems }),
  };
}

interface Details {
  readonly add?: object;
  readonly del?: object;
  readonly notes?: readonly string[];
}

/** sudoers(5), "Including other files from within sudoers". */
function isIgnored(path: string): boolean {
  return /sudoers\.d\/[^/]+$/.test(path) && /\.|~$/.test(basename(path));
}

/** `carol may run /usr/bin/apt as root without a password` */
function words(rule: SudoRule, verb: string): string {
  const { users, hosts, runAs, runAsGroups, commands, noPassword } = rule;
  const list = (names: readonly string[], all: string) => names.map((name) => (name === "ALL" ? all : name)).join(", ");
  const as = runAs === undefined ? (runAsGroups === undefined ? " as root" : "") : ` as ${list(runAs, "anybody")}`;
  const group = runAsGroups === undefined ? "" : ` with the group ${list(runAsGroups, "of anybody")}`;
  const password = noPassword === true ? " without a password" : "";
  const where = hosts.length === 1 && hosts[0] === "ALL" ? "" : ` on ${list(hosts, "any host")}`;
  return `${list(users, "everybody")} ${verb} run ${list(commands, "anything")}${as}${group}${password}${where}`;
}
