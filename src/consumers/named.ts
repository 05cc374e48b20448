import { basename } from "node:path";
import type { Consumer, ConsumerName } from "./consumer.ts";
import type { Context } from "./context.ts";
import { accessConsumer } from "./access.ts";
import { contentConsumer } from "./content.ts";
import { consumerFor } from "./registry.ts";

/** Consumers that a configuration can name. */
export const CONSUMERS = ["users", "access", "diff", "generic"] as const satisfies readonly ConsumerName[];

/** That a consumer is to understand a path, or what a glob stands for, and all below. */
export interface ConsumerRule {
  readonly path: string;
  readonly consumer: (typeof CONSUMERS)[number];
}

const content = contentConsumer("text");
const member = contentConsumer("member");
const secret = contentConsumer("secret");

/** Names that speak of password hashes: whatever consumer is named, nothing of those may come out. */
const SECRET = /shadow|opasswd|smbpasswd|master\.passwd/;

/** The formats of user databases, by a word in a file's name; the first that is found. */
const FORMATS = ["gshadow", "shadow", "passwd", "group", "authorized_keys"] as const;

/**
 * The consumer that the configuration names for a path. A file that holds password hashes is not read
 * by one that would show them, and `users` reads what its name tells the format of.
 */
export function consumerNamed(name: ConsumerRule["consumer"], path: string, context?: Context): Consumer {
  const file = basename(path);
  if (name === "users") {
    const format = FORMATS.find((format) => file.includes(format));
    return consumerFor(format === undefined ? path : `/etc/${format}`, true, context);
  }
  if (SECRET.test(file)) return secret;
  switch (name) {
    case "access":
      return accessConsumer(context?.separators(path));
    case "diff":
      return content;
    case "generic":
      return member;
  }
}

/** The consumer for a path: what the configuration says, else the one that its name tells. */
export function chooseConsumer(
  path: string,
  selection: {
    names(path: string): boolean;
    consumer?(path: string): ConsumerRule["consumer"] | undefined;
  },
  context: Context,
): Consumer {
  const named = selection.consumer?.(path);
  if (named !== undefined) return consumerNamed(named, path, context);
  return consumerFor(path, selection.names(path), context);
}
