import type { Parsed, Problem } from "./lines.ts";

/** Who may run what, where, as whom: of a line of sudoers(5), as many as it has of runas and tags. */
export interface SudoRule {
  /** Names, `%group`, `#uid`, `+netgroup`, aliases, `ALL`; `!` before what is left out. As they are written. */
  readonly users: readonly string[];
  readonly hosts: readonly string[];
  /** Missing: root, unless Defaults say otherwise. */
  readonly runAs?: readonly string[];
  readonly runAsGroups?: readonly string[];
  /** Paths with their arguments, directories, aliases, `ALL`. */
  readonly commands: readonly string[];
  readonly noPassword?: true;
  /** In force besides. */
  readonly tags?: readonly string[];
}

/**
 * The user specifications of sudoers(5), of a subset that sudo is known to read as this does: one list of hosts
 * on a line, no digests, regular expressions or options. Aliases stay names. Defaults, aliases and includes are
 * no rules, and no problems; any other line is a problem. Pure, and never throws.
 */
export function parseSudoers(text: string): Parsed<SudoRule> {
  const entries: SudoRule[] = [];
  const problems: Problem[] = [];
  for (const { line, text: logical } of logicalLines(text)) {
    if (logical === "" || OTHER.test(logical)) continue;
    const rules = readSpecification(logical);
    if (rules === undefined) problems.push({ line, reason: NOT_UNDERSTOOD });
    else entries.push(...rules);
  }
  return { entries, problems };
}

const NOT_UNDERSTOOD = "not understood rule by rule: the diff alone tells of it";

const COMMENT = /^#(?!\d|-\d|include(?:dir)?[ \t])/;
const TRAILING_COMMENT = /[ \t]+#(?![\d-]).*$/;
const OTHER = /^(?:Defaults(?:[@:!>]|[ \t])|(?:User|Runas|Host|Cmnd|Cmd)_Alias[ \t]|[@#]include(?:dir)?[ \t])/;

/** Lines that a backslash joins are one, without its comment. One that ends nowhere, or in a comment, is no rule. */
function* logicalLines(text: string): Generator<{ readonly line: number; readonly text: string }> {
  let begun: { readonly line: number; readonly text: string } | undefined;
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const [index, whole] of lines.entries()) {
    const line = begun?.line ?? index + 1;
    const part = whole.replace(AROUND, "");
    const joined = begun === undefined ? part : `${begun.text} ${part}`;
    begun = undefined;
    if (COMMENT.test(joined)) yield { line, text: part.endsWith("\\") ? UNFINISHED : "" };
    else if (!part.endsWith("\\")) yield { line, text: joined.replace(TRAILING_COMMENT, "") };
    else if (TRAILING_COMMENT.test(part)) yield { line, text: UNFINISHED };
    else begun = { line, text: joined.slice(0, -1).replace(AROUND, "") };
  }
  if (begun !== undefined) yield { line: begun.line, text: UNFINISHED };
}

const AROUND = /^[ \t]+|[ \t]+$/g;
const UNFINISHED = "\\";

const NAME = "[a-z_][A-Za-z0-9_.-]*";
/** An alias, or ALL. */
const ALIAS = "[A-Z][A-Z0-9_]*";
const GROUP_NAME = `(?:${NAME}|#\\d{1,9})`;
const USER = `!?(?:${NAME}|${ALIAS}|#\\d{1,9}|%${GROUP_NAME}|\\+${NAME})`;
const HOST = `!?(?:${NAME}|${ALIAS}|\\d{1,3}(?:\\.\\d{1,3}){3}(?:/\\d{1,2})?|\\+${NAME})`;
const RUN_AS_GROUP = `!?(?:${NAME}|${ALIAS}|#\\d{1,9})`;
const list = (item: string) => `${item}(?:[ \\t]*,[ \\t]*${item})*`;

const SPECIFICATION = new RegExp(`^(${list(USER)})[ \\t]+(${list(HOST)})[ \\t]*=[ \\t]*(.*)$`);
const RUN_AS = new RegExp(`^\\([ \\t]*(${list(USER)})?[ \\t]*(?::[ \\t]*(${list(RUN_AS_GROUP)}))?[ \\t]*\\)[ \\t]*`);
const TAG = /^(NO)?(PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT):[ \t]*/;

const PATH = "/[A-Za-z0-9_./*?+@%~-]*";
/** Of an argument: what means itself to a shell pattern and to sudo, and what is escaped. */
const ARGUMENT = "(?:[A-Za-z0-9_./*?+@%~-]|\\\\[,:=])+";
/** What ends in a slash is a directory, and has no arguments. */
const PROGRAM = `(?:${PATH}(?<!/)|sudoedit)(?:[ \\t]+""|(?:[ \\t]+${ARGUMENT})+)?`;
const COMMAND = new RegExp(`^!?(?:${ALIAS}|${PROGRAM}|${PATH}/)(?=[ \\t]*(?:,|$))`);

interface Options {
  readonly runAs: readonly string[];
  readonly runAsGroups: readonly string[];
  /** By name without NO: whether it stands without. */
  readonly tags: ReadonlyMap<string, boolean>;
}

/** undefined for what is not of the subset. */
function readSpecification(line: string): SudoRule[] | undefined {
  const [, users, hosts, rest = ""] = SPECIFICATION.exec(line) ?? [];
  if (users === undefined || hosts === undefined) return undefined;
  const rules: SudoRule[] = [];
  let options: Options = { runAs: [], runAsGroups: [], tags: new Map() };
  let left = rest;
  let isNew = true;
  for (;;) {
    const runAs = RUN_AS.exec(left);
    if (runAs !== null) {
      if (runAs[1] === undefined && runAs[2] === undefined) return undefined;
      options = { ...options, runAs: names(runAs[1]), runAsGroups: names(runAs[2]) };
      left = left.slice(runAs[0].length);
    }
    for (let tag = TAG.exec(left); tag !== null; tag = TAG.exec(left)) {
      options = { ...options, tags: new Map([...options.tags, [tag[2]!, tag[1] === undefined]]) };
      left = left.slice(tag[0].length);
      isNew = true;
    }
    const [command] = COMMAND.exec(left) ?? [];
    if (command === undefined) return undefined;
    const last = isNew || runAs !== null ? undefined : rules.pop();
    rules.push(
      ruleOf({ users: names(users), hosts: names(hosts) }, options, [...(last?.commands ?? []), spaced(command)]),
    );
    isNew = false;
    left = left.slice(command.length).trimStart();
    if (left === "") return rules;
    left = left.slice(1).trimStart(); // the comma
  }
}

const names = (text: string | undefined) => (text === undefined ? [] : text.split(",").map((name) => name.trim()));
const spaced = (command: string) => command.replace(/[ \t]+/g, " ");

function ruleOf(
  whose: Pick<SudoRule, "users" | "hosts">,
  { runAs, runAsGroups, tags }: Options,
  commands: readonly string[],
): SudoRule {
  const others = [...tags].filter(([name]) => name !== "PASSWD").map(([name, is]) => (is ? name : `NO${name}`));
  return {
    ...whose,
    ...(runAs.length === 0 ? {} : { runAs }),
    ...(runAsGroups.length === 0 ? {} : { runAsGroups }),
    commands,
    ...(tags.get("PASSWD") === false ? { noPassword: true as const } : {}),
    ...(others.length === 0 ? {} : { tags: others }),
  };
}
