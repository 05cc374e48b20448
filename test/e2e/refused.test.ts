// A kernel that refuses single programs: bpfink carries some that are damaged, so that any kernel does.
import { expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import { objectIn, spoilForRelocation, spoilForVerifier } from "../programs/refused.ts";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { BPFINK, end, KERNEL, SLOW } from "./process.ts";

/** Both forms load there; on two kernels that differ most, as each refusal is another load. */
const WHERE = ["5.10", "6.12"].includes(KERNEL ?? "");

/** Makes a bpfink that carries another object. Returns its path. */
function damaged(directory: TemporaryDirectory, damage: (object: Uint8Array) => void): string {
  const executable = readFileSync(BPFINK);
  damage(objectIn(executable));
  return directory.write("bpfink", executable, 0o755);
}

test.if(WHERE)(
  "two hooks less: which, why, and what is not seen; the others see",
  async () => {
    using directory = new TemporaryDirectory();
    const executable = damaged(directory, (object) => {
      spoilForVerifier(object, "kprobe_shmem_fault");
      spoilForRelocation(object, "kprobe_munmap");
    });
    const file = directory.write("file", "one\n");
    await using bpfink = await Bpfink.start({ executable, watch: [file], args: ["--backend", "ebpf/kprobe"] });
    const told = (await bpfink.stderr(/watching with/)).split("\n").filter((line) => line.includes("cannot be traced"));
    expect(told.sort()).toEqual([
      expect.stringMatching(
        /shmem_fault cannot be traced \(bpf_object__load: EACCES \(kprobe_shmem_fault: R5 !read_ok\)\): stores .* are seen late$/,
      ),
      expect.stringMatching(
        /uprobe_munmap cannot be traced \(bpf_object__load: EINVAL \(prog 'kprobe_munmap': relo #.*\)\): a mapping .* going away$/,
      ),
    ]);
    appendFileSync(file, "two\n");
    expect(await bpfink.only(file)).toMatchObject({
      action: "modified",
      backend: "ebpf/kprobe",
      process: { pid: process.pid },
    });
    expect((await bpfink.stop()).status).toBe(0);
  },
  SLOW,
);

interface Form {
  readonly attached: number;
  readonly missing: readonly unknown[];
}

test.if(WHERE)(
  "a trampoline less: doctor counts what attaches; and the backend is the one that sees more",
  async () => {
    using directory = new TemporaryDirectory();
    const executable = damaged(directory, (object) => spoilForRelocation(object, "fentry_fput"));
    const { status, stdout } = await end([executable, "doctor", "--json"]);
    const { forms, ...report } = JSON.parse(stdout) as { readonly forms: readonly [Form, Form] };
    const [fentry, kprobe] = forms;
    expect(kprobe.missing).toEqual([]);
    expect(fentry).toMatchObject({
      attached: kprobe.attached - 1,
      missing: [
        {
          target: "__fput",
          reason: expect.stringContaining("(prog 'fentry_fput': relo #"),
          consequence: "changes are reported after a quiet time instead of when the writer closes the file",
        },
      ],
    });
    expect({ status, ...report }).toMatchObject({
      status: 0,
      backend: "ebpf/kprobe",
      unseen: [],
      canary: { seen: true },
    });
  },
  2 * SLOW,
);
