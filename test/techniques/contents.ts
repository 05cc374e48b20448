// Techniques that change what is in the file.
import { block, BLOCKS, fanotify, modified, ONE, onFile, type Technique, TWO, unchanged, ZEROS } from "./technique.ts";

const two = modified(ONE, TWO);
const blocks = (letters: string): string =>
  [...letters].map((letter) => (letter === "0" ? ZEROS : block(letter))).join("");
const intoBlocks = (letters: string) => modified(BLOCKS, blocks(letters));
const source = { before: { f: ONE, source: TWO } };
const held = { rounds: [[two], []] };

/** Where there is O_DIRECT. */
const direct = { tmpfs: "6.6" };
/** Where extents can be shared. */
const reflink = { tmpfs: false, ext4: false, overlay: false } as const;
/** Where whole blocks can be taken out of the middle. */
const collapse = { tmpfs: false, btrfs: false } as const;

/** From 5.12 on, io_uring's threads are the process's own; before, they are the kernel's. */
const byWorker = { kernelThread: /^io_wqe_worker-\d+$/ };
const byPoller = { kernelThread: /^io_uring-sq$/ };
const byLoop = { kernelThread: /^(kworker\/.*|loop\d+)$/ };

const writes: readonly Technique[] = [
  onFile("write", two),
  onFile("pwrite", two),
  onFile("writev", two),
  onFile("pwritev", two),
  onFile("pwritev2", two),
  onFile("pwritev2-append", modified(ONE, ONE + TWO), { since: { overlay: "6.12" } }), // it forgot the flag
  onFile("append", modified(ONE, ONE + TWO)),
  onFile("write-sync", two),
  onFile("write-kept-open", two, held),
  onFile("write-direct", intoBlocks("axc"), { since: direct }),
  onFile("write-by-thread", two),
  onFile("write-by-child", two),
  onFile("write-by-receiver", two),
  onFile("write-pidfd-getfd", two),
  onFile("write-proc-self-fd", two),
  onFile("write-proc-pid-fd", two),
  onFile("write-hard-link", two, { before: { f: ONE, "other/hard": { link: "f" } } }),
  onFile("write-symlink", two, { before: { f: ONE, "other/symbolic": { symlink: "../f" } } }),
  onFile("write-by-handle", two, { since: { overlay: false } }), // needs the mount option nfs_export
  onFile("write-bind-mount", two, { before: { f: ONE, other: { directory: true } } }),
  onFile("chroot", two),
  onFile("mount-namespace", two, { before: { f: ONE, other: { directory: true } } }),
  unchanged("mount-namespace-cover", source),
  onFile("mount-namespace-covered-write", two, source),
  onFile("user-namespace", modified(ONE, TWO, { user: "nobody" }), {
    before: { f: { content: ONE, mode: 0o666 } },
    ...fanotify.actor("actor", "right"),
  }),
  onFile("pid-namespace", two),
  onFile("overlay-copy-up", two, { program: "write", layer: { files: "lower", run: "merged" } }),
  onFile("overlay-upper", two, {
    program: "write",
    layer: { files: "upper", run: "upper" },
    ...fanotify.layer("unseen"),
  }),
  onFile("overlay-lower", two, {
    program: "write",
    layer: { files: "lower", run: "lower" },
    ...fanotify.layer("unseen"),
  }),
  onFile("overlay-lower-truncate", modified(ONE, ""), {
    program: "open-truncate",
    layer: { files: "lower", run: "lower" },
    ...fanotify.layer("unseen"),
  }),
];

const copies: readonly Technique[] = [
  onFile("sendfile", two, source),
  onFile("splice", two),
  onFile("vmsplice", two),
  onFile("copy-file-range", two, source),
  onFile("ficlone", modified(BLOCKS, blocks("xyz")), { before: { f: BLOCKS, source: blocks("xyz") }, since: reflink }),
  onFile("ficlonerange", intoBlocks("axc"), { before: { f: BLOCKS, source: block("x") }, since: reflink }),
  unchanged("fideduperange", { before: { f: BLOCKS, source: block("a") }, since: reflink }),
  onFile("ext4-swap-boot", modified(ONE, ""), {
    inVmOnly: true,
    since: { tmpfs: false, btrfs: false, xfs: false, overlay: false },
  }),
];

const sizes: readonly Technique[] = [
  onFile("open-truncate", modified(ONE, "")),
  onFile("openat2-truncate", modified(ONE, "")),
  onFile("creat", two),
  onFile("truncate", modified(ONE, "on")),
  onFile("truncate-extend", modified(ONE, `${ONE}\0\0`)),
  onFile("ftruncate", modified(ONE, "on")),
  onFile("ftruncate-extend", modified(ONE, `${ONE}\0\0`)),
  onFile("fallocate-extend", modified(ONE, `${ONE}\0\0`)),
  unchanged("fallocate-keep-size"),
  onFile("punch-hole", intoBlocks("a0c")),
  onFile("zero-range", intoBlocks("a0c"), { since: { tmpfs: false } }),
  onFile("collapse-range", intoBlocks("ac"), { since: collapse }),
  onFile("insert-range", intoBlocks("a0bc"), { since: collapse }),
];

const asynchronous: readonly Technique[] = [
  onFile("aio-pwrite", two),
  onFile("aio-pwritev", two),
  onFile("aio-direct", intoBlocks("axc"), { since: direct }),
  onFile("uring-write", two),
  onFile("uring-writev", two),
  onFile("uring-write-async", modified(ONE, TWO, byWorker)),
  onFile("uring-write-sqpoll", modified(ONE, TWO, byPoller)),
  onFile("uring-write-fixed", modified(ONE, `${"x".repeat(63)}\n`)),
  onFile("uring-write-direct", intoBlocks("axc"), { since: direct }),
  onFile("uring-splice", modified(ONE, TWO, byWorker)),
  onFile("uring-open-truncate", modified(ONE, "", byWorker)),
  onFile("uring-fallocate", modified(ONE, `${ONE}\0\0`, byWorker)),
  onFile("uring-ftruncate", modified(ONE, "on", byWorker), { since: "6.9" }),
];

/** Seen when the writer's descriptor goes. */
const late = fanotify.mapping("late", "right", "actor");
/** No descriptor goes, or that of a process that is not the writer. */
const byOther = fanotify.mapping("actor", "unseen");
const byDevice = fanotify.device("late", "actor");

const mappings: readonly Technique[] = [
  onFile("mmap-store", two),
  onFile("mmap-msync", two),
  onFile("mmap-munmap", two),
  onFile("mmap-kept", two, { ...held, ...late }),
  onFile("mmap-after-close", two, { ...held, ...late }),
  onFile("mmap-after-mprotect", two, { ...held, ...late }),
  onFile("mmap-dirty", two, { rounds: [[two], [modified(TWO, "six\n")], []], ...late }),
  onFile("mmap-dirty-after-close", two, { rounds: [[two], [modified(TWO, "six\n")], []], ...late }),
  onFile("mmap-mremap", two),
  onFile("mmap-by-child", two, byOther),
  onFile("mmap-read-into", two),
  onFile("proc-pid-mem", two, byOther),
  onFile("proc-self-mem", two),
  onFile("process-vm-writev", two, byOther),
  onFile("ptrace", two, byOther),
  onFile("userfaultfd-copy", undefined, {
    before: { f: { hole: 4096 } },
    rounds: [[modified(ZEROS, block("x"))], []],
    since: { ext4: false, btrfs: false, xfs: false, overlay: false },
    ...late,
  }),
];

const devices: readonly Technique[] = [
  onFile("loop-write", intoBlocks("axc"), { rounds: [[modified(BLOCKS, blocks("axc"), byLoop)], []], ...byDevice }),
  onFile("loop-write-direct", intoBlocks("axc"), {
    rounds: [[modified(BLOCKS, blocks("axc"), byLoop)], []],
    ...byDevice,
    since: direct,
  }),
  onFile("loop-discard", intoBlocks("a0c"), {
    rounds: [[modified(BLOCKS, blocks("a0c"), byLoop)], []],
    ...byDevice,
    since: { overlay: "6.1" },
  }),
];

export const contents: readonly Technique[] = [
  ...writes,
  ...copies,
  ...sizes,
  ...asynchronous,
  ...mappings,
  ...devices,
];
