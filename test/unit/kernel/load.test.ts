import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { readBpfObject } from "../../../src/kernel/assets.ts";
import { CHANGE_HOOKS, type Hook, MAPS, PROCESS_HOOKS, programName, SIGNAL_HOOKS } from "../../../src/kernel/hooks.ts";
import { isRoot } from "../../../src/kernel/libc.ts";
import { holdKernelTypes, LoadedObject, LoadError } from "../../../src/kernel/load.ts";
import { RecordMap } from "../../../src/kernel/maps.ts";
import { SIZE } from "../../../src/source/decode.ts";
import { functionsOf } from "../../programs/elf.ts";
import { hideFromKernel, spoilBehindLoop, spoilForRelocation, spoilForVerifier } from "../../programs/refused.ts";

/** Hooks that need BTF alone, so that many kernels take them: in the order of the object. */
const TRACEPOINTS = [...CHANGE_HOOKS.hooks, ...PROCESS_HOOKS.hooks, ...SIGNAL_HOOKS.hooks].filter(
  ({ at }) => at === "tracepoint",
);
const hookOf = (name: string): Hook => TRACEPOINTS.find((hook) => hook.name === name)!;

/** Loads the tracepoints out of an object that is damaged before; all but `required` are optional. */
function load(damage: (object: Uint8Array) => void, required: readonly string[], hooks = TRACEPOINTS): LoadedObject {
  const object = readBpfObject();
  damage(object);
  const set = { hooks: hooks.map((hook) => ({ ...hook, required: required.includes(hook.name) })), maps: MAPS };
  return LoadedObject.load(set, "fentry", { watches: 16, ring: 4096 }, object);
}

const missingOf = ({ missing }: LoadedObject) => missing.map(({ hook, reason }) => [hook.name, reason] as const);
const namesOf = (loaded: LoadedObject) => loaded.programs().map(({ name }) => name);

/** Programs, maps and links that this process holds. */
const held = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(join("/proc/self/fd", fd)).includes("bpf");
    } catch {
      return false; // that of the directory itself
    }
  }).length;

describe.skipIf(!isRoot())("of a kernel that refuses a program", () => {
  test("nothing is refused: all are there", () => {
    using loaded = load(() => {}, []);
    expect(missingOf(loaded)).toEqual([]);
    expect(namesOf(loaded)).toEqual(TRACEPOINTS.map(({ name }) => name));
    expect(loaded.attached).toBe(TRACEPOINTS.length);
  });

  test.each<[string, (object: Uint8Array) => void, string, RegExp]>([
    [
      "by the verifier",
      (object) => spoilForVerifier(object, "fentry_inode_dirty"),
      "inode_dirty",
      /^bpf_object__load: EACCES \(fentry_inode_dirty: R5 !read_ok\)$/,
    ],
    [
      "by libbpf, which cannot relocate it",
      (object) => spoilForRelocation(object, "fentry_process_exec"),
      "process_exec",
      /^bpf_object__load: EINVAL \(prog 'fentry_process_exec': relo #0: insn #\d+ .* unexpected form\)$/,
    ],
    [
      "by the verifier, as the kernel lacks a member of a struct",
      (object) => hideFromKernel(object, "si_code"),
      "signal_generate",
      /^bpf_object__load: EINVAL \(fentry_signal_generate: failed to resolve CO-RE relocation .*kernel_siginfo\.X+ /,
    ],
  ])("%s: it is left out and named, and the others run", async (_, damage, name, reason) => {
    const before = held();
    {
      const others = TRACEPOINTS.filter((hook) => hook.name !== name);
      using loaded = load(
        damage,
        others.map((hook) => hook.name),
      );
      expect(missingOf(loaded)).toEqual([[name, expect.stringMatching(reason)]]);
      expect(loaded.missing[0]!.hook.consequence).toBe(hookOf(name).consequence);
      expect(namesOf(loaded)).toEqual(others.map((hook) => hook.name));
      expect(loaded.attached).toBe(others.length);
      expect(held()).toBeGreaterThan(before);
      expect(loaded.skips()).toBe(0n);
      const processes = new RecordMap(loaded.mapFd("processes"), SIZE.actor);
      const child = Bun.spawn(["true"]);
      await child.exited;
      expect(processes.get(child.pid)).toHaveLength(SIZE.actor);
    }
    expect(held()).toBe(before);
  });

  test("several, each for a reason of its own", () => {
    using loaded = load(
      (object) => {
        spoilForVerifier(object, "fentry_inode_dirty");
        spoilForVerifier(object, "fentry_process_fork");
        spoilForRelocation(object, "fentry_process_exec");
      },
      ["signal_generate"],
    );
    expect(Object.fromEntries(missingOf(loaded))).toEqual({
      process_exec: expect.stringContaining("(prog 'fentry_process_exec': relo"),
      inode_dirty: expect.stringContaining("(fentry_inode_dirty: R5"),
      process_fork: expect.stringContaining("(fentry_process_fork: R5"),
    });
    expect(namesOf(loaded)).toEqual(["signal_generate"]);
  });

  test.each([
    ["one", ["process_fork"]],
    ["one after another that is not", ["inode_dirty", "process_fork"]],
  ])("%s that is required: none is loaded", (_, refused) => {
    const before = held();
    const attempt = () =>
      load((object) => refused.forEach((name) => spoilForVerifier(object, `fentry_${name}`)), ["process_fork"]);
    expect(attempt).toThrow(LoadError);
    expect(attempt).toThrow(
      "the kernel refuses the BPF programs: bpf_object__load: EACCES (fentry_process_fork: R5 !read_ok)",
    );
    expect(held()).toBe(before);
  });

  test("one that another hook replaces where the kernel has it not is missed where it has", () => {
    const absent: Hook = { ...hookOf("process_exec"), target: "no_such_tracepoint", replaceable: true };
    const hooks = [{ ...hookOf("inode_dirty"), replaceable: true } as const, absent, hookOf("process_fork")];
    using loaded = load((object) => spoilForVerifier(object, "fentry_inode_dirty"), [], hooks);
    expect(missingOf(loaded)).toEqual([["inode_dirty", expect.any(String)]]);
    expect(loaded.attached).toBe(1);
  });

  test("the kernel's types are read once for all that is loaded while they are held, and anew after that", () => {
    const size = statSync("/sys/kernel/btf/vmlinux").size;
    /** How often they were read meanwhile. */
    const readings = (work: () => void): number => {
      const read = () => Number(/^rchar: (\d+)/.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);
      const before = read();
      work();
      return Math.floor((read() - before) / size);
    };
    const loadTwice = () => {
      for (const name of ["process_fork", "inode_dirty"]) load(() => {}, [name], [hookOf(name)])[Symbol.dispose]();
    };
    const held = () => {
      using _ = holdKernelTypes();
      loadTwice();
    };
    expect([readings(held), readings(held), readings(loadTwice)]).toEqual([1, 1, 2]);
  });

  test("the verifier's reason comes at the end of a log of any length", () => {
    const only = [hookOf("inode_dirty")];
    const attempt = () => load((object) => spoilBehindLoop(object, "fentry_inode_dirty"), ["inode_dirty"], only);
    expect(attempt).toThrow(/bpf_object__load: EACCES \(fentry_inode_dirty: R\d !read_ok\)/);
  });
});

test.each(["fentry", "kprobe"] as const)("the first program as %s is required: all refused, one is tried", (form) => {
  const { name } = functionsOf(readBpfObject()).find((each) => each.name.startsWith(form))!;
  expect(CHANGE_HOOKS.hooks.find((hook) => programName(hook, form) === name)).toMatchObject({ required: true });
});
