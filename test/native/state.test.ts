// What is kept from one run to the next.
import { expect, test } from "bun:test";
import { chmodSync, unlinkSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { SLOW } from "../e2e/process.ts";

const LONG = 2 * SLOW;

test(
  "a first run makes a baseline, the next tells what changed meanwhile, the one after it nothing",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const names = ["content", "deleted", "created", "mode", "same", "passwd", "tree"];
    const watch = names.map((name) => directory.at(name));
    for (const name of ["content", "deleted", "mode", "same", "tree/kept", "tree/gone"]) directory.write(name, "one\n");
    directory.write("passwd", "root:x:0:0:root:/root:/bin/bash\n");

    await using first = await Bpfink.start({ watch, database });
    expect(first.lines).toMatchObject([{ action: "started", changed: 0, missing: 1 }]);
    const ended = await first.stop("SIGINT");
    expect(ended.status).toBe(0);
    expect(first.lines.map(({ action }) => action)).toEqual(["started", "stopped"]);

    directory.write("content", "two\n");
    unlinkSync(directory.at("deleted"));
    directory.write("created", "one\n");
    chmodSync(directory.at("mode"), 0o600);
    directory.write("same", "one\n");
    directory.write("passwd", "root:x:0:0:root:/root:/bin/sh\n");
    unlinkSync(directory.at("tree/gone"));
    directory.write("tree/new/f", "one\n");

    await using second = await Bpfink.start({ watch, database });
    const changes = second.lines.filter(({ origin }) => origin !== undefined);
    const byFile = Object.fromEntries(changes.map((line) => [line.file?.slice(directory.path.length + 1), line]));
    expect(byFile).toMatchObject({
      content: { action: "modified", origin: "startup", del: { Content: ["one"] }, add: { Content: ["two"] } },
      deleted: { action: "deleted", origin: "startup" },
      created: { action: "created", origin: "startup", add: { Content: ["one"] } },
      mode: { action: "attributes", origin: "startup", attributes: { mode: { from: "0644", to: "0600" } } },
      passwd: {
        origin: "startup",
        add: [{ user: "root", shell: "/bin/sh" }],
        del: [{ user: "root", shell: "/bin/bash" }],
      },
      "tree/gone": { action: "deleted", origin: "startup" },
      "tree/new": { action: "created", origin: "startup" },
      "tree/new/f": { action: "created", origin: "startup", consumer: "generic" },
    });
    expect(changes).toHaveLength(8);
    for (const change of changes) expect(change).not.toHaveProperty("process");
    expect(second.lines.at(-1)).toMatchObject({ action: "started", changed: 8 });
    expect(second.lines[0]?.seq).toBe(3);
    expect((await second.stop("SIGTERM")).status).toBe(0);
    expect(second.lines.at(-1)?.action).toBe("stopped");

    await using third = await Bpfink.start({ watch, database });
    expect(third.lines).toMatchObject([{ action: "started", changed: 0 }]);
  },
  LONG,
);
