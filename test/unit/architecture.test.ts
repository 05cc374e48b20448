import { describe, expect, test } from "bun:test";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";

// The rules of the house that a reader of one file cannot see: who may use what, and which way imports go.

const project = join(import.meta.dir, "../..");

/** Files below a directory of the project, as paths from the project. */
function filesIn(directory: string, ...extensions: string[]): string[] {
  return readdirSync(join(project, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => relative(project, join(entry.parentPath, entry.name)))
    .sort();
}

const textOf = (file: string) => readFileSync(join(project, file), "utf8");

/** Without comments, which may speak of anything. Strings with slashes in them lose their ends, which no rule needs. */
const codeOf = (file: string) => textOf(file).replace(/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm, "");

interface Import {
  readonly from: string;
  /** A module's name, or the path of a file from the project. */
  readonly to: string;
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

const transpiler = new Bun.Transpiler({ loader: "ts" });

function importsOf(from: string): Import[] {
  const text = textOf(from);
  const kept = new Set(transpiler.scanImports(text).map(({ path }) => path));
  const named = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"/gm),
  ];
  return named.map(([, one, two, three]) => {
    const specifier = one ?? two ?? three!;
    const to = specifier.startsWith(".") ? join(dirname(from), specifier) : specifier;
    return { from, to, typeOnly: !kept.has(specifier) };
  });
}

const sources = filesIn("src", ".ts");
const imports = sources.flatMap(importsOf);

/** `src/watch/look.ts` to `watch`, `src/event.ts` to `event.ts`; undefined for what is not in src/. */
const partOf = (file: string) => /^src\/([^/]+)/.exec(file)?.[1];

const usersOf = (pattern: RegExp) => sources.filter((file) => pattern.test(codeOf(file)));

test("the scan sees imports of every shape", () => {
  const found = imports.filter(({ from }) =>
    ["src/kernel/assets.ts", "src/state/store.ts", "src/main.ts"].includes(from),
  );
  expect(found).toContainEqual({ from: "src/main.ts", to: "src/commands/index.ts", typeOnly: false });
  expect(found).toContainEqual({ from: "src/kernel/assets.ts", to: "dist/bpfink.bpf.o", typeOnly: false });
  expect(found).toContainEqual({ from: "src/state/store.ts", to: "bun:sqlite", typeOnly: true });
});

describe("dangerous things have one owner:", () => {
  const importers = (to: string | RegExp) => [
    ...new Set(
      imports.filter((entry) => (typeof to === "string" ? entry.to === to : to.test(entry.to))).map(({ from }) => from),
    ),
  ];
  const outside = (directory: string, files: readonly string[]) => {
    expect(files).not.toEqual([]); // a rule for nobody has lost its object
    return files.filter((file) => !file.startsWith(directory));
  };

  test("bun:ffi is src/kernel's", () => {
    expect(outside("src/kernel/", importers("bun:ffi"))).toEqual([]);
  });

  test("bun:sqlite is src/state's", () => {
    expect(outside("src/state/", importers("bun:sqlite"))).toEqual([]);
  });

  test("citty is the command line's, consola the log's, diff and graphite one module's", () => {
    const owners = (name: string) => importers(new RegExp(`^${name}(/|$)`));
    expect([owners("citty"), owners("consola"), owners("diff"), owners("graphite")]).toEqual([
      ["src/main.ts"],
      ["src/log.ts"],
      ["src/consumers/unified.ts"],
      ["src/sinks/graphite.ts"],
    ]);
  });

  test("the embedded files are src/kernel/assets.ts's", () => {
    expect(importers(/^dist\//)).toEqual(["src/kernel/assets.ts"]);
  });

  test("ending the process is src/main.ts's", () => {
    expect(usersOf(/process\.(exit|abort|kill|reallyExit)\b|process\.exitCode/)).toEqual(["src/main.ts"]);
  });

  test("stdout is for lines: src/sinks/stdout.ts; and for what commands answer: src/print.ts", () => {
    expect(usersOf(/\bstdout\.(write|writer)\b|writeSync\(1\b/)).toEqual(["src/print.ts", "src/sinks/stdout.ts"]);
    expect(usersOf(/\bconsole\b/)).toEqual([]);
  });

  test("stderr is src/log.ts's", () => {
    expect(usersOf(/\bstderr\b.*\bwrite|writeSync\(2\b/)).toEqual(["src/log.ts"]);
  });

  test("threads and signals are where they are looked for", () => {
    expect(usersOf(/\bnew Worker\(/)).toEqual(["src/source/ring.ts"]);
    expect(usersOf(/process\.on\(/)).toEqual(["src/commands/watch.ts", "src/main.ts"]);
  });

  test("nobody starts a program, runs a text, or asks the network", () => {
    expect(importers(/^(node:)?(child_process|cluster|vm|net|http|https|http2|dgram|dns|tls|worker_threads)$/)).toEqual(
      [],
    );
    expect(
      usersOf(/\bBun\.(spawn|spawnSync|\$|serve|listen|connect|udpSocket)\b|\beval\(|new Function\(|\bfetch\(/),
    ).toEqual([]);
  });
});

describe("imports go one way:", () => {
  /** What the files of each part may import of the others; parts that are not here are what everybody may. */
  const allowed: Record<string, readonly string[]> = {
    kernel: [],
    consumers: [],
    state: ["consumers", "kernel/file-lock.ts"],
    source: ["kernel"],
    watch: ["kernel", "source/source.ts", "consumers/consumer.ts", "consumers/named.ts"],
    sinks: ["consumers", "watch/attribution.ts"],
    "canary.ts": ["kernel", "source/source.ts", "watch/mounts.ts"],
    labels: ["consumers/consumer.ts", "state/expectations.ts", "state/foreign.ts", "watch"],
    "reporter.ts": [
      "consumers",
      "labels",
      "monitor-parts.ts",
      "source/source.ts",
      "sinks/line.ts",
      "state/store.ts",
      "watch",
    ],
    "monitor-parts.ts": ["consumers/redaction.ts", "labels", "source/source.ts", "state/store.ts", "watch"],
    "monitor.ts": ["consumers", "follow.ts", "monitor-parts.ts", "reporter.ts", "state/store.ts", "watch"],
    homes: ["consumers", "watch"],
    "follow.ts": ["consumers/consumer.ts", "consumers/context.ts", "state/store.ts", "watch"],
    cli: [],
    config: ["cli"],
    doctor: ["kernel", "source/source.ts", "watch/mounts.ts"],
    commands: [
      "canary.ts",
      "cli",
      "config",
      "doctor",
      "consumers/redaction.ts",
      "homes",
      "kernel",
      "labels",
      "monitor.ts",
      "options.ts",
      "progress.ts",
      "sinks",
      "source",
      "state",
      "watch",
    ],
    "progress.ts": [],
    "options.ts": [
      "cli/args.ts",
      "config/read.ts",
      "consumers/named.ts",
      "consumers/redaction.ts",
      "sinks/formats.ts",
      "sinks/graphite.ts",
      "source/choose.ts",
    ],
    "main.ts": ["cli", "commands", "config", "kernel", "options.ts"],
  };
  const common = [
    ...["errors.ts", "event.ts", "hashes.ts", "log.ts", "metrics.ts", "multimap.ts", "packed-keys.ts", "paths.ts"],
    ...["print.ts", "terminal.ts", "unmarked.ts", "visible.ts"],
  ];

  test("every part of src/ has its rule", () => {
    const parts = new Set(sources.map((file) => partOf(file)!));
    expect([...parts].sort()).toEqual([...Object.keys(allowed), ...common].sort());
  });

  test.each(Object.keys(allowed))("%s", (part) => {
    const others = imports.filter(({ from, to }) => {
      const other = partOf(to);
      return partOf(from) === part && other !== undefined && other !== part && !common.includes(other);
    });
    const within = (to: string) => allowed[part]!.some((name) => to === `src/${name}` || to.startsWith(`src/${name}/`));
    expect(others.filter(({ to }) => !within(to))).toEqual([]);
  });

  test("what everybody may import imports nothing but its like", () => {
    const found = imports.filter(({ from, to }) => common.includes(partOf(from)!) && partOf(to) !== undefined);
    expect(found.filter(({ to }) => !common.includes(partOf(to)!))).toEqual([]);
  });

  test("what may be imported is what is imported: a rule that nobody needs goes", () => {
    const unused = Object.entries(allowed).flatMap(([part, names]) =>
      names
        .filter((name) => !imports.some(({ from, to }) => partOf(from) === part && `${to}/`.startsWith(`src/${name}/`)))
        .map((name) => `${part}: ${name}`),
    );
    expect(unused).toEqual([]);
  });

  test("of the watching half, only types cross to the source and the consumers", () => {
    const crossing = imports.filter(
      ({ from, to }) => partOf(from) === "watch" && /^src\/(source|consumers)\//.test(to),
    );
    expect(crossing.filter(({ typeOnly }) => !typeOnly)).toEqual([]);
  });

  test("consumers touch neither files nor the system", () => {
    const used = new Set(imports.filter(({ from }) => partOf(from) === "consumers").map(({ to }) => to));
    const modules = [...used].filter((name) => partOf(name) === undefined).sort();
    expect(modules).toEqual(["diff", "node:crypto", "node:path"]);
    expect(
      usersOf(/\bBun\.|\bprocess\.(env|cwd|pid|hrtime)|\bDate\.now|\bnew Date\(\)|Math\.random/).filter(
        (file) => partOf(file) === "consumers",
      ),
    ).toEqual([]);
  });

  test("no module imports itself, however far around", () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly && partOf(to) !== undefined) edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    const cycles: string[][] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
      if (path.includes(file) || done.has(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe("every file", () => {
  const files = [...filesIn("src", ".ts"), ...filesIn("bpf", ".c", ".h"), ...filesIn("build", ".mjs", ".ts", ".c")];

  test("has at most 400 lines", () => {
    const long = files
      .map((file) => [file, textOf(file).split("\n").length - 1] as const)
      .filter(([, lines]) => lines > 400);
    expect(long).toEqual([]);
  });

  test("is plain text: no tabs in TypeScript, no trailing space, one newline at the end", () => {
    const untidy = files.filter((file) => {
      const text = textOf(file);
      return (
        /[ \t]$/m.test(text) ||
        !text.endsWith("\n") ||
        text.endsWith("\n\n") ||
        (file.endsWith(".ts") && text.includes("\t"))
      );
    });
    expect(untidy).toEqual([]);
  });

  test("leaves no work for later", () => {
    expect(files.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(textOf(file)))).toEqual([]);
  });
});

test("kernels are told by what they can do, never by their version", () => {
  // the configuration of the running kernel lies under its name
  const named = ["src/kernel/preemption.ts"];
  expect(usersOf(/\bos\.release\b|\brelease\(\)|\buname\b|\/proc\/version\b/)).toEqual(named);
  const bpf = filesIn("bpf", ".c", ".h").filter((file) => /LINUX_KERNEL_VERSION|KERNEL_VERSION\(/.test(codeOf(file)));
  expect(bpf).toEqual([]);
});
