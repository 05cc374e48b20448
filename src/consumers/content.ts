import type { Consumer, Difference, Keys, Look, State } from "./consumer.ts";
import { describeIncomparable, describeText } from "./diff.ts";
import { appearance, changedAttributes, type Facts, factsOf, type NodeFacts } from "./facts.ts";
import { describeBytes } from "./generic.ts";
import { holdsPrivateKey, looksLikeShadow, redact } from "./redact.ts";
import { DEFAULT_REDACTION } from "./redaction.ts";
import { withSudoRules } from "./sudoers.ts";
import { decode } from "./text.ts";

/** Why a content is hashed and not diffed. */
export type Withheld = "binary" | "too long" | "private key" | "passwords";

/** Text is kept, free of secrets, to be diffed (`diff`); of all else a digest is (`generic`). */
export type ContentState = TextState | BytesState;

export type TextState = NodeFacts & {
  readonly consumer: "diff";
  readonly digest: string;
  readonly text: string;
  /** Fingerprint of the rules that took its secrets out. */
  readonly redaction: string;
  /** Keyed digest of the text with its secrets: the same under any rules. */
  readonly identity: string;
};

export type BytesState = Facts & {
  readonly consumer: "generic";
  /** SHA-256 in hexadecimal; `keyed:…` where it would help to guess what the file holds. */
  readonly digest?: string;
  readonly content?: Withheld;
};

/**
 * What is done with a file that no other consumer understands. `text`: it is diffed, if it is text.
 * `member`: it is one of many in a directory, and hashed. `secret`: its name says that it holds
 * password hashes, so it is hashed with a key.
 */
export type Treatment = "text" | "member" | "secret";

/**
 * A text that is longer is hashed, not diffed: the database holds the last version of each. Some 100,000
 * lines, in bytes; looking for secrets in them takes 0.1 s as a rule.
 */
const TEXT_LIMIT = 4 << 20;
/** What a text costs is by its lines: four million empty ones took seconds, and 2 GB of memory. */
const LINE_LIMIT = 300_000;

export function contentConsumer(treatment: Treatment): Consumer<ContentState> {
  return {
    name: treatment === "text" ? "diff" : "generic",
    contentLimit: treatment === "text" ? TEXT_LIMIT : 0,
    parse: (_path, look, keys) => parse(look, keys, treatment),
    compare,
  };
}

function parse(look: Look, keys: Keys, treatment: Treatment): ContentState {
  if (look.type !== "file") return { consumer: "generic", ...factsOf(look, keys) };
  const facts = factsOf(look, keys);
  const keyed = () => keys.keyedDigest(look.digest);
  const hashed = (content: Withheld, digest: string): BytesState => ({
    consumer: "generic",
    ...facts,
    digest,
    content,
  });
  if (look.digest === "") return { consumer: "generic", ...facts, digest: "" };
  if (treatment === "secret") return hashed("passwords", keyed());
  if (treatment === "member") return { consumer: "generic", ...facts, digest: look.digest };
  if (look.content === undefined || hasMoreLines(look.content, LINE_LIMIT)) return hashed("too long", look.digest);
  const text = decode(look.content);
  // NULs are between the letters of UTF-16
  if (looksLikeShadow(text.replaceAll("\0", ""))) return hashed("passwords", keyed());
  if (look.content.includes(0)) return hashed("binary", look.digest);
  if (holdsPrivateKey(text)) return hashed("private key", keyed());
  const redaction = keys.redaction ?? DEFAULT_REDACTION;
  const redacted = redact(text, keys.fingerprint, redaction);
  const digest = redacted === text ? look.digest : keyed();
  const identity = keyed();
  return {
    consumer: "diff",
    ...facts,
    digest,
    text: redacted,
    redaction: keys.fingerprint(redaction.source),
    identity,
  };
}

function hasMoreLines(content: Uint8Array, limit: number): boolean {
  let lines = 0;
  for (let at = content.indexOf(NEWLINE); at >= 0 && lines <= limit; at = content.indexOf(NEWLINE, at + 1)) lines++;
  return lines > limit;
}

const NEWLINE = 0x0a;

function compare(path: string, earlier: State, after: ContentState): Difference | undefined {
  // Another consumer's state has the same facts, but no digest that could be compared.
  const before = earlier as ContentState;
  const attributes = changedAttributes(before, after);
  const appeared = appearance(before, after);
  const otherRules = before.consumer === "diff" && after.consumer === "diff" && before.redaction !== after.redaction;
  const isSame =
    before.type === after.type && (otherRules ? before.identity === after.identity : before.digest === after.digest);
  if (isSame && before.consumer === after.consumer) {
    const consumer = after.consumer;
    const message = consumer === "diff" ? "text file attributes" : "generic file attributes";
    return attributes && { action: "attributes", consumer, message, details: { attributes } };
  }
  const [textBefore, textAfter] = [textOf(before), textOf(after)];
  const isText = (textBefore ?? textAfter) !== undefined && [before, after].every(isTextOrMissing);
  return {
    action: appeared ?? "modified",
    consumer: isText ? "diff" : "generic",
    message: `${isText ? "text" : "generic"} file ${appeared ?? "modified"}`,
    details: {
      ...(otherRules
        ? describeIncomparable(before, after)
        : isText
          ? withSudoRules(path, describeText(path, before, after), textBefore, textAfter)
          : describeBytes(before, after)),
      ...(attributes === undefined ? {} : { attributes }),
    },
  };
}

function textOf(state: ContentState): string | undefined {
  return state.consumer === "diff" ? state.text : undefined;
}

function isTextOrMissing(state: ContentState): boolean {
  return state.consumer === "diff" || state.type === "missing" || state.type === "symlink";
}
