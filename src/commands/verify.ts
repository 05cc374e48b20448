import { hostname } from "node:os";
import { existsSync } from "node:fs";
import { many, one, path } from "../cli/args.ts";
import { command } from "../cli/command.ts";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { log } from "../log.ts";
import { COMMON, DEFAULT_DATABASE } from "../options.ts";
import { print } from "../print.ts";
import { progressBar } from "../progress.ts";
import { readChainKey } from "../state/chain-key.ts";
import { originalOf, PRINTED } from "../sinks/formats.ts";
import { JournalReader } from "../state/reader.ts";
import { Verifier } from "../state/verifier.ts";
import { linesOf, sizeOf, STDIN } from "./log-files.ts";
import { visible } from "../visible.ts";

const MIB = 1024 ** 2;
/** Lines that were not printed of which one may be torn: more are never written at a time (src/sinks/stdout.ts). */
const MOST_TO_COME = 1000;

export const verify = command({
  name: "verify",
  summary: "check that nobody changed, took out or put in a line",
  args: {
    database: one(path("FILE"), undefined, `knows where the log ends (${DEFAULT_DATABASE})`),
    "chain-key": many(path("FILE"), [], "key that the hashes were made with"),
    "log-level": COMMON["log-level"],
  },
  operands: {
    hint: "FILE",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    description: "logs, the oldest first; -: stdin; none: the database's",
  },
  examples: [
    ["bpfink verify", "the database"],
    ["bpfink verify /var/log/bpfink.log.1 /var/log/bpfink.log", "rotated logs"],
    ["zcat bpfink.log.*.gz | bpfink verify -", "any log, from stdin"],
  ],
  run: ({ database, chainKey }, files) => {
    const keys = chainKey.map(readChainKey);
    return files.length === 0 ? verifyJournal(database ?? DEFAULT_DATABASE, keys) : verifyLogs(files, database, keys);
  },
});

function verifyJournal(database: string, keys: readonly Uint8Array[]): ExitStatus {
  using journal = new JournalReader(database);
  const { anchor, head } = journal;
  using bar = progressBar("verifying", head.seq - anchor.seq);
  const verifier = new Verifier(keys, anchor);
  for (const line of journal.chain()) {
    if (!verifier.add(Buffer.from(line))) throw needsKey(database);
    bar.step();
  }
  verifier.end();
  verifier.endsAt(head.seq, head.seq, (seq) => (seq === head.seq ? head.hash : undefined));
  bar.clear();
  return report(verifier, () => database);
}

async function verifyLogs(
  files: readonly string[],
  database: string | undefined,
  keys: readonly Uint8Array[],
): Promise<ExitStatus> {
  const delivered = deliveredBefore(database);
  const total = files.reduce((sum, file) => sum + sizeOf(file), 0);
  using bar = progressBar("verifying, MiB", Math.ceil(total / MIB));
  const verifier = new Verifier(keys);
  /** Number of the first line of each file, less one. */
  const begins: number[] = [];
  let host: string | undefined;
  let bytes = 0;
  for (const file of files) {
    begins.push(verifier.lines);
    for await (const printed of linesOf(file)) {
      const line = originalOf(printed);
      if (host === undefined) host = /"host":"([^"]*)"/.exec(line.toString("latin1", 0, 1024))?.[1];
      bytes += printed.length + 1;
      if (!verifier.add(line, printed)) throw needsKey(file);
      for (; bytes >= MIB; bytes -= MIB) bar.step();
    }
  }
  bar.clear();
  // as it is now: what was printed while the files were read is in it
  using journal = journalFor(database);
  const isForeign = database === undefined && host !== undefined && host !== hostname();
  const toCome = journal === undefined || isForeign ? [] : journal.after(delivered, MOST_TO_COME);
  const torn = verifier.end(toCome.flatMap((line) => Object.values(PRINTED).map((print) => Buffer.from(print(line)))));
  if (torn > 0) log.info("the last line is torn, but not lost: the next bpfink that watches prints it again");
  if (journal === undefined)
    log.info("no database to hold the end against: whether lines are cut off there is not known");
  else if (isForeign) log.info(`the log is of ${host}: its end was not held against this host's database`);
  else verifier.endsAt(delivered, journal.head.seq, (seq) => journal.hashOf(seq));
  return report(verifier, (line) => {
    const at = begins.findLastIndex((begin) => begin < line);
    return `${files[Math.max(at, 0)]}:${line - (begins[Math.max(at, 0)] ?? 0)}`;
  });
}

/** What was printed before the files are read: what is meanwhile is not missing. */
function deliveredBefore(database: string | undefined): number {
  using journal = journalFor(database);
  return journal?.delivered() ?? 0;
}

/** The database if it was named, or if it is there. */
function journalFor(database: string | undefined): JournalReader | undefined {
  if (database === undefined && !existsSync(DEFAULT_DATABASE)) return undefined;
  return new JournalReader(database ?? DEFAULT_DATABASE);
}

/** @param placeOf where a line stands */
function report(verifier: Verifier, placeOf: (line: number) => string): ExitStatus {
  const { findings, found, lines, repeats, first, last } = verifier;
  print(findings.map(({ line, what }) => `${visible(`${placeOf(line)}: ${what}`)}\n`).join(""));
  const numbers =
    last === undefined || first === undefined ? "" : `, seq ${first} to ${last.seq}, ending in ${last.hash}`;
  const again = repeats === 0 ? "" : `, ${repeats} of them repeated`;
  const verdict = found === 0 ? "nothing amiss" : `${found} found amiss`;
  print(`${lines} lines${again}${numbers}: ${verdict}\n`);
  return found === 0 ? ExitStatus.ok : ExitStatus.differs;
}

function needsKey(where: string): BpfinkError {
  return new BpfinkError(
    ExitStatus.usage,
    `${where === STDIN ? "stdin" : where} has keyed hashes`,
    "give --chain-key FILE",
  );
}
