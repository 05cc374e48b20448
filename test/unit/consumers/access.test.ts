import { describe, expect, test } from "bun:test";
import type { Look } from "../../../src/consumers/consumer.ts";
import { contextOf } from "../../../src/consumers/context.ts";
import { accessConsumer, type AccessState } from "../../../src/consumers/access.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { fileLook, keys, meta } from "./helpers.ts";

const ROOT = "+:root:LOCAL\n";
const WHEEL = "+:(wheel):10.0.0.0/8\n";
const NOBODY = "-:ALL:ALL\n";
const rules = {
  root: { permission: "+", users: ["root"], origins: ["LOCAL"] },
  wheel: { permission: "+", users: ["(wheel)"], origins: ["10.0.0.0/8"] },
  nobody: { permission: "-", users: ["ALL"], origins: ["ALL"] },
};
const none = { grant: [], deny: [], rules: [] };

function compare(before: Look | string, after: Look | string, path = "/etc/security/access.conf") {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after]
    .map((look) => (typeof look === "string" ? fileLook(look) : look))
    .map((look) => JSON.parse(JSON.stringify(consumer.parse(path, look, keys))));
  return consumer.compare(path, from, to);
}

const difference = (action: string, details: Record<string, unknown>) =>
  ({ action, consumer: "access", message: "access entries", details }) as never;

describe("access", () => {
  test("a rule comes, and one goes", () => {
    expect(compare(ROOT + NOBODY, ROOT + WHEEL)).toEqual(
      difference("modified", {
        add: { grant: ["(wheel)"], deny: [], rules: [rules.wheel] },
        del: { grant: [], deny: ["ALL"], rules: [rules.nobody] },
        access: { grant: ["root", "(wheel)"], deny: [], rules: [rules.root, rules.wheel] },
      }),
    );
  });

  test("another origin is another rule", () => {
    const anywhere = { ...rules.root, origins: ["ALL"] };
    const [add, del] = [anywhere, rules.root].map((rule) => ({ grant: ["root"], deny: [], rules: [rule] }));
    expect(compare(ROOT, "+:root:ALL\n")).toEqual(difference("modified", { add, del, access: add }));
  });

  test("another order is a change, with others and without", () => {
    const notes = ["order changed: the first rule that matches decides"];
    expect(compare(ROOT + NOBODY, NOBODY + ROOT)).toEqual(
      difference("modified", {
        add: none,
        del: none,
        access: { grant: ["root"], deny: ["ALL"], rules: [rules.nobody, rules.root] },
        notes,
      }),
    );
    expect(compare(ROOT + NOBODY, NOBODY + WHEEL + ROOT)?.details).toMatchObject({
      add: { rules: [rules.wheel] },
      del: none,
      notes,
    });
    expect(compare(ROOT + NOBODY, ROOT + WHEEL + NOBODY)?.details).not.toHaveProperty("notes");
  });

  test("nothing, comments, what cannot be read, attributes, coming and going", () => {
    expect(compare(ROOT, fileLook(ROOT, { inode: "7" }))).toBeUndefined();
    const notes = (after: string) => compare(ROOT, after)?.details["notes"];
    expect(notes(`# x\n${ROOT}`)).toEqual(["only comments, blank lines or how rules are written changed"]);
    expect(notes(`${ROOT}+:bob\n`)).toEqual(["line 2: three fields expected"]);
    expect(compare(ROOT, fileLook(ROOT, { mode: 0o644 }))).toEqual(
      difference("attributes", { attributes: { mode: { from: "0640", to: "0644" } } }),
    );
    const all = { grant: ["root"], deny: [], rules: [rules.root] };
    const missing: Look = { type: "missing" };
    expect(compare(missing, ROOT)).toEqual(difference("created", { add: all, del: none, access: all }));
    expect(compare(ROOT, missing)).toEqual(difference("deleted", { add: none, del: all, access: none }));
    const [fifo, directory] = (["fifo", "directory"] as const).map((type): Look => ({ type, ...meta, size: 0 }));
    expect(compare(fifo!, directory!)).toEqual(
      difference("modified", { add: none, del: none, access: none, type: { from: "fifo", to: "directory" } }),
    );
  });

  test("a state of another consumer, and one that was not read", () => {
    const consumer = consumerFor("/etc/security/access.conf", true);
    const state = consumer.parse("/x", fileLook(ROOT), keys);
    expect(consumer.compare("/x", { consumer: "diff" }, state)?.details).toMatchObject({
      notes: ["the saved state is another consumer's: rules are not compared"],
      access: { rules: [rules.root] },
    });
    const long = consumer.parse("/x", fileLook("long", { content: undefined }), keys);
    const missing = consumer.parse("/x", { type: "missing" }, keys);
    expect(consumer.compare("/x", missing, long)).toMatchObject({
      action: "created",
      details: { add: none, access: none, notes: ["too long to be read: rules are not compared"] },
    });
    const gone = consumer.parse("/x", fileLook("", { content: undefined, digest: "" }), keys);
    expect(consumer.compare("/x", missing, gone)?.details).toEqual({ add: none, del: none, access: none });
    expect(consumer.compare("/x", state, long)?.details).toMatchObject({
      add: none,
      notes: ["too long to be read: rules are not compared"],
    });
  });
});

describe("which files, and how they are read", () => {
  const services = [
    "account required pam_access.so fieldsep=| listsep=; \\\n accessfile=/etc/login.rules\n",
    "# account required pam_access.so accessfile=/etc/none\naccount [default=bad success=ok] /lib/pam_access.so [listsep=, ] nodefgroup # x\n",
    "-account required pam_access.so listsep=;\n",
  ];
  let now = 0;
  const context = contextOf(
    () => services,
    () => now,
  );
  const nameOf = (path: string, isNamed = true) => consumerFor(path, isNamed, context).name;

  test("access.conf, access.d, and what PAM is told to read", () => {
    const paths = [
      "/etc/security/access.conf",
      "/etc/security/access.d/10.conf",
      "/srv/access.conf",
      "/etc/login.rules",
    ];
    expect(paths.map((path) => nameOf(path, false))).toEqual(paths.map(() => "access"));
    const others = ["/etc/none", "/etc/security/access.d/README", "/etc/access.conf.d/x", "/etc/security/time.conf"];
    expect(others.map((path) => nameOf(path))).toEqual(others.map(() => "diff"));
  });

  test("with the separators of the first service that reads it", () => {
    expect(context.separators("/etc/login.rules")).toEqual({ field: "|", list: ";" });
    expect(context.separators("/etc/security/access.conf")).toEqual({ field: ":", list: ", " });
    expect(context.separators("/etc/security/access.d/x.conf")).toEqual({ field: ":", list: ", " });
    const { entries } = consumerFor("/etc/login.rules", true, context).parse(
      "/",
      fileLook("+|a b;c|d\n"),
      keys,
    ) as never;
    expect(entries).toEqual([
      { name: "a b;c", rule: { permission: "+", users: ["a b", "c"], origins: ["d"] } },
    ] as never);
  });

  test("other separators are a change where they make other rules", () => {
    const text = fileLook("+|a b;c|d\n");
    const [before, same, other] = [
      { field: ":", list: "," },
      { field: ":", list: ";" },
      { field: "|", list: ";" },
    ].map((separators) => accessConsumer(separators).parse("/", text, keys)) as [AccessState, AccessState, AccessState];
    expect(accessConsumer().compare("/", before, same)).toBeUndefined();
    const rule = { permission: "+", users: ["a b", "c"], origins: ["d"] };
    expect(accessConsumer().compare("/", before, other)?.details).toEqual({
      add: { grant: ["a b;c"], deny: [], rules: [rule] },
      del: none,
      access: { grant: ["a b;c"], deny: [], rules: [rule] },
      notes: ["pam_access is told other separators: it reads the same text in another way"],
    });
    expect(accessConsumer().compare("/", other, before)?.details).toMatchObject({ add: none, problems: [{ line: 1 }] });
  });

  test("which are asked for again, at once where PAM's configuration is known to have changed", () => {
    context.forget?.();
    expect(context.separators("/etc/login.rules")).toBeDefined();
    services[0] = "";
    expect(context.separators("/etc/login.rules")).toBeDefined();
    now = 1001;
    expect(context.separators("/etc/login.rules")).toBeUndefined();
    services[0] = "account required pam_access.so accessfile=/etc/login.rules\n";
    expect(context.separators("/etc/login.rules")).toBeUndefined();
    context.forget?.();
    expect(context.separators("/etc/login.rules")).toBeDefined();
  });
});
